"""Keeps links that are a person's whole authority out of logs; named by gunicorn and the settings.

A link to `/consent/<token>/` opens without an account, so its token is a secret like a password.
"""

import logging
import re
from typing import Any

from gunicorn.glogging import Logger

SECRET = re.compile(r"(/consent/)[^/\s?\"]+")
SHOWN = r"\1…"


def without_secrets(text: str) -> str:
    """`text` with the secret part of every such link left out."""
    return SECRET.sub(SHOWN, text)


class AccessLog(Logger):  # type: ignore[misc]
    """Gunicorn's log; request line, path and referrer are cleaned before they are written."""

    def atoms(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        return {
            name: without_secrets(value) if isinstance(value, str) else value
            for name, value in super().atoms(*args, **kwargs).items()
        }


class WithoutSecrets(logging.Filter):
    """For the log of failed requests, which names their path."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(
                without_secrets(each) if isinstance(each, str) else each for each in record.args
            )
        return True
