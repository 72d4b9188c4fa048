"""Real hourly generation profiles and matching demo certificates, ready to convert.

The figures come from the ENTSO-E Transparency Platform (CC BY 4.0); `SOURCE.md` beside this file says how.
"""

import json
from pathlib import Path
from typing import Any

__all__ = ["certificate_paths", "manifest", "profile_paths"]

_HERE = Path(__file__).resolve().parent


def profile_paths() -> list[Path]:
    """Return the shipped Parquet files of hourly profiles, oldest year first."""
    return sorted(_HERE.glob("profiles-*.parquet"))


def certificate_paths() -> list[Path]:
    """Return the shipped CSV files of demo annual certificates, oldest year first."""
    return sorted(_HERE.glob("certificates-*.csv"))


def manifest() -> dict[str, Any]:
    """Return the machine-readable list of every shipped file, series and refusal."""
    loaded: dict[str, Any] = json.loads((_HERE / "manifest.json").read_text(encoding="utf-8"))
    return loaded
