"""The registry: durable, columnar, traded, retired, audited. `Registry` is its door."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gcr_fast.registry.registry import Registry

__all__ = ["Registry"]


def __getattr__(name: str) -> Any:
    if name != "Registry":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from gcr_fast.registry.registry import Registry

    return Registry
