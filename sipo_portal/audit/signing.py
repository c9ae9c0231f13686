"""How an event is written down for signing and chaining: by `record`, sealer and check."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder

from sipo_portal.audit.models import AuditEvent

GENESIS = "0" * 64


def plain(data: Mapping[str, Any]) -> dict[str, Any]:
    """`data` as PostgreSQL will give it back: floats and other values as text, keys as text.

    jsonb stores numbers as numeric, so a float may come back as another one and break its own
    signature; integers, text, booleans and null come back as they went.
    """
    value = _without_floats(json.loads(json.dumps(data, cls=DjangoJSONEncoder)))
    assert isinstance(value, dict)
    return value


def signature_of(event: AuditEvent) -> str:
    """HMAC-SHA256 of everything `record` writes, under the installation's audit key."""
    return hmac.new(_key("event"), canonical(event), hashlib.sha256).hexdigest()


def digest_of(previous: str, sequence: int, event: AuditEvent) -> str:
    """SHA-256 that ties `event` (with its row id and signature) to the seal before it."""
    text = f"{previous}\n{sequence}\n{event.pk}\n{event.signature}\n".encode()
    return hashlib.sha256(text + canonical(event)).hexdigest()


def head_signature(sequence: int, digest: str) -> str:
    """HMAC-SHA256 of the chain's last seal, kept outside the database."""
    return hmac.new(_key("head"), f"{sequence}\n{digest}".encode(), hashlib.sha256).hexdigest()


def canonical(event: AuditEvent) -> bytes:
    """The one way to write an event as bytes."""
    fields = [
        str(event.uid),
        event.happened_at.timestamp().hex(),
        event.verb,
        event.actor_kind,
        event.actor_pseudonym,
        event.object_type,
        event.object_id,
        event.data,
    ]
    return json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def _key(purpose: str) -> bytes:
    return hashlib.sha256(f"audit {purpose}\n{settings.AUDIT_KEY}".encode()).digest()


def _without_floats(value: Any) -> Any:
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, list):
        return [_without_floats(item) for item in value]
    if isinstance(value, dict):
        return {key: _without_floats(item) for key, item in value.items()}
    return value
