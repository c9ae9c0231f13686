"""The tone of each state's tag: how urgent a state is, never what may be done in it."""

from typing import Literal

Tone = Literal["neutral", "progress", "attention", "good", "bad", "over"]

TONES: dict[str, Tone] = {
    "draft": "neutral",
    "planned": "neutral",
    "queued": "neutral",
    "registered": "progress",
    "submitted": "progress",
    "in_review": "progress",
    "referred": "progress",
    "in_study": "progress",
    "running": "progress",
    "open": "progress",
    "returned": "attention",
    "paused": "attention",
    "waiting_for_business": "attention",
    "terms_offered": "attention",
    "verified": "good",
    "published": "good",
    "accepted": "good",
    "committed": "good",
    "completed": "good",
    "funded": "good",
    "covered": "good",
    "done": "good",
    "succeeded": "good",
    "suspended": "bad",
    "rejected": "bad",
    "failed": "bad",
    "parked": "bad",
    "fallen_through": "bad",
    "declined": "over",
    "ended": "over",
    "closed": "over",
    "withdrawn": "over",
    "expired": "over",
    "superseded": "over",
    "released": "over",
    "cancelled": "over",
}


def tone_of(status: str) -> Tone:
    """Neutral for a state nobody gave a tone."""
    return TONES.get(status, "neutral")
