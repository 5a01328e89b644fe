"""Every diagnostic code, one row each. `docs/errors/CODE.md` is its page; a test keeps the two in step.

TE1 syntax, TE2 meaning, TE3 match and resolve (TE31 one requirement), TE4 files, TE5 drivers and dispatch, TE9 a bug of ours.
"""

from __future__ import annotations

CODES: dict[str, str] = {
    # --- TE10: any text
    "TE1001": "input is too long or nested too deeply",
    "TE1002": "unexpected text",
    "TE1003": "input ends too early",
    "TE1004": "input is not text",
    # --- TE30: a whole resolution
    "TE3001": "no artifact can run",
    # --- TE50: the runtime's sixteen canonical codes, TE50 plus the number
    "TE5001": "cancelled",
    "TE5002": "unknown failure",
    "TE5003": "invalid argument",
    "TE5004": "deadline exceeded",
    "TE5005": "not found",
    "TE5006": "already exists",
    "TE5007": "permission denied",
    "TE5008": "resource exhausted",
    "TE5009": "failed precondition",
    "TE5010": "aborted",
    "TE5011": "out of range",
    "TE5012": "unimplemented",
    "TE5013": "internal",
    "TE5014": "unavailable",
    "TE5015": "data loss",
    "TE5016": "unauthenticated",
    # --- TE9: targetenv itself
    "TE9001": "a bug in targetenv",
}
