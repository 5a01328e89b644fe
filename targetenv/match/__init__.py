"""Requirement against capabilities: three-valued verdicts in which every finding names its rule."""

from targetenv.match.check import Judge, check
from targetenv.match.environment import offers_of, requirements_of
from targetenv.match.pair import match, match_env

__all__ = ["Judge", "check", "match", "match_env", "offers_of", "requirements_of"]
