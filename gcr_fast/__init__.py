"""gcr_fast: cancelled annual energy certificates in, exact hourly certificates out."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gcr_fast.annual import Annual, annual_from, read_annual
    from gcr_fast.errors import GcrError, OutputError, UsageError
    from gcr_fast.findings import RefusedError
    from gcr_fast.grid.shapes import Profiles
    from gcr_fast.processor import Conversion, convert
    from gcr_fast.profiles import profile_from_total, profiles_from, read_profiles
    from gcr_fast.registry import Registry
    from gcr_fast.report import Report
    from gcr_fast.shipped import shipped_profiles
    from gcr_fast.validator import validate

__version__ = "0.1.0"

_HOME = {
    "Annual": "annual",
    "Conversion": "processor",
    "GcrError": "errors",
    "OutputError": "errors",
    "Profiles": "grid.shapes",
    "RefusedError": "findings",
    "Registry": "registry",
    "Report": "report",
    "UsageError": "errors",
    "annual_from": "annual",
    "convert": "processor",
    "profile_from_total": "profiles",
    "profiles_from": "profiles",
    "read_annual": "annual",
    "read_profiles": "profiles",
    "shipped_profiles": "shipped",
    "validate": "validator",
}
"""Where each public name lives; its module is imported when the name is first used."""

__all__ = [
    "Annual",
    "Conversion",
    "GcrError",
    "OutputError",
    "Profiles",
    "RefusedError",
    "Registry",
    "Report",
    "UsageError",
    "annual_from",
    "convert",
    "profile_from_total",
    "profiles_from",
    "read_annual",
    "read_profiles",
    "shipped_profiles",
    "validate",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
