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
    "TE1005": "trailing comma",
    "TE1006": "text follows the end",
    "TE1007": "typographic quote",
    "TE1008": "string is not closed",
    "TE1009": "malformed number",
    # --- TE11: the shape of one dialect
    "TE1101": "malformed revision",
    "TE1102": "vendor and device type are incomplete",
    "TE1103": "two eras are mixed",
    "TE1104": "a name is in quotes",
    # --- TE12: words and values
    "TE1201": "unknown version",
    "TE1202": "unknown attribute",
    "TE1203": "unknown extension",
    "TE1204": "unknown key",
    "TE1205": "value of the wrong type",
    "TE1206": "number out of range",
    "TE1207": "required key is missing",
    "TE1208": "key is given twice",
    "TE1209": "unknown vendor",
    "TE1210": "unknown device type",
    "TE1211": "ambiguous name",
    "TE1212": "unknown scope",
    "TE1213": "unknown target",
    "TE1214": "unknown release",
    "TE1215": "unknown dialect",
    "TE1216": "text is in another dialect",
    # --- TE20: what a text means
    "TE2001": "listed twice",
    "TE2002": "contradictory subgroup sizes",
    "TE2003": "workgroup limits do not fit",
    "TE2004": "impossible workgroup size",
    "TE2005": "subgroup size is not a power of two",
    # --- TE30: a whole resolution
    "TE3001": "no artifact can run",
    # --- TE43: files that are read or written
    "TE4301": "file cannot be read",
    "TE4302": "file is not valid JSON",
    "TE4303": "unknown schema version",
    "TE4304": "file does not describe a device",
    "TE4305": "file holds no device",
    "TE4306": "output cannot be written",
    # --- TE44: packages
    "TE4401": "not a package",
    "TE4402": "package is truncated",
    "TE4403": "package is damaged",
    "TE4404": "package member is not stored plainly",
    "TE4405": "package member has a bad name",
    "TE4406": "package is too large",
    "TE4407": "manifest is not valid JSON",
    "TE4408": "unknown package schema",
    "TE4409": "manifest does not fit the schema",
    "TE4410": "payload does not have its digest",
    "TE4411": "payload is not where the manifest says",
    # --- TE31: one requirement held against one device
    "TE3101": "too low a version",
    "TE3102": "missing extension",
    "TE3103": "missing feature",
    "TE3104": "limit not met",
    "TE3105": "SPIR-V capability not usable",
    "TE3106": "other instruction set",
    "TE3107": "format not loadable",
    "TE3108": "subgroup size not offered",
    "TE3109": "cooperative matrix not offered",
    "TE3110": "requirement not known",
    # --- TE45: the build config
    "TE4501": "build config is not valid TOML",
    "TE4502": "unknown key in the build config",
    "TE4503": "missing key in the build config",
    "TE4504": "value does not fit the build config",
    "TE4505": "name used twice in the build config",
    "TE4506": "extent refers to no known binding",
    "TE4507": "source file is not there",
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
    # --- TE52: what a command line or a call asks for
    "TE5200": "command line is not understood",
    "TE5213": "unknown diagnostic code",
    # --- TE9: targetenv itself
    "TE9001": "a bug in targetenv",
}
