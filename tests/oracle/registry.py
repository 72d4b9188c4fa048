"""The slow twin of the registry: every certificate a Python object, every question a walk over all of them.

Nothing here knows of rows, segments or journals. A part of an hour is a certificate like any other, with the place at
which it begins in its hour; what was split stays in the list as SPLIT.
"""

import calendar
from collections import defaultdict
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime

from oracle.conversion import HOUR

FAMILIES = {"wind": {"wind", "wind_onshore", "wind_offshore"}, "hydro": {"hydro", "hydro_run_of_river"}}
BORN = {"conversion": "ACTIVE", "end_use": "RETIRED", None: "LOCKED"}
STARTS = {
    "trade": {"ACTIVE"},
    "reserve": {"ACTIVE"},
    "release": {"RESERVED"},
    "lock": {"ACTIVE", "RESERVED"},
    "unlock": {"LOCKED"},
    "retire": {"ACTIVE", "RESERVED"},
    "claim": {"RETIRED"},
    "expire": {"ACTIVE", "RESERVED", "LOCKED"},
    "withdraw": {"ACTIVE", "RESERVED", "LOCKED", "RETIRED"},
}
ENDS = {
    "reserve": "RESERVED",
    "release": "ACTIVE",
    "lock": "LOCKED",
    "retire": "RETIRED",
    "claim": "CLAIMED",
    "expire": "EXPIRED",
    "withdraw": "WITHDRAWN",
}


class RefusalError(Exception):
    """What the real registry says with a `RefusedError`; `codes` are those of its findings."""

    def __init__(self, *codes):
        super().__init__(*codes)
        self.codes = set(codes)


@dataclass
class Certificate:
    """Energy of one parent in one interval, or a part of it: Wh from `first` on."""

    parent: str
    start: int
    wh: int
    owner: str
    status: str
    step: int
    first: int = 0
    whole: bool = True
    former: str = "ACTIVE"
    traded: bool = False

    @property
    def name(self):
        """The id as people write it."""
        stamp = datetime.fromtimestamp(self.start, UTC).strftime("%Y%m%d%H" if self.step == HOUR else "%Y%m%d%H%M")
        return f"HOURLY-{self.parent}-{stamp}" + ("" if self.whole else f"/{self.first}-{self.first + self.wh}")


@dataclass
class Registry:
    """Parties, parents and certificates."""

    transfer_months: int | None = None
    expiry_months: int | None = None
    now: int = 0
    parties: list = field(default_factory=list)
    parents: dict = field(default_factory=dict)
    """Facts by certificate id, in the order of the registry."""
    certificates: list = field(default_factory=list)
    claimed: set = field(default_factory=set)
    trades: dict = field(default_factory=dict)

    def copy(self):
        """Return another of the same."""
        return deepcopy(self)

    # --- issuing

    def issue(self, parents, hours):
        """Take in facts by certificate id, and their hours {id: {second: Wh}}."""
        if any(name in self.parents for name in parents):
            raise RefusalError("already_converted")
        for name, facts in parents.items():
            self.parents[name] = facts
            if facts["owner"] not in self.parties:
                self.parties.append(facts["owner"])
            for start, wh in hours[name].items():
                born = BORN[facts["purpose"]]
                self.certificates.append(Certificate(name, start, wh, facts["owner"], born, facts["step"]))

    # --- asking

    def ordered(self):
        """Return all certificates by parent, time and place; what was split before its parts."""
        order = {name: at for at, name in enumerate(self.parents)}
        return sorted(self.certificates, key=lambda one: (order[one.parent], one.start, one.first, -one.wh))

    def select(self, where):
        """Return what filters find, or the certificates of a list of names."""
        if isinstance(where, list):
            named = set(where)
            return [one for one in self.ordered() if one.name in named]
        return [one for one in self.ordered() if self.fits(one, **where)]

    def fits(
        self, one, *, parent=None, owner=None, start=None, end=None, at=None, source_type=None, device=None,
        country=None, basis=None, status=None, min_wh=1, hour_of_day=None, certificate=None,
    ):  # fmt: skip
        """Whether a certificate is found by all of these filters."""
        facts = self.parents[one.parent]
        sources = None
        if source_type is not None:
            sources = {kind for word in listed(source_type) for kind in FAMILIES.get(word, {word}) | {word}}
        if status == "TRADED":
            stated = one.status == "ACTIVE" and one.traded
        elif status is None:
            stated = one.status != "SPLIT"
        else:
            stated = one.status in listed(status)
        return (
            stated
            and (parent is None or one.parent in listed(parent))
            and (owner is None or one.owner == owner)
            and (start is None or one.start >= start)
            and (end is None or one.start < end)
            and (at is None or one.start <= at < one.start + one.step)
            and (sources is None or facts["source_type"] in sources)
            and (device is None or facts["device_id"] in listed(device))
            and (country is None or facts["country"] in listed(country))
            and (basis is None or facts["allocation_basis"] in listed(basis))
            and (certificate is None or one.name in certificate)
            and (hour_of_day is None or one.start // HOUR % 24 in listed(hour_of_day))
            and one.wh >= min_wh
        )

    def sums(self, key):
        """Return {(key, status): [certificates, Wh]} over everything, what was split too."""
        found = defaultdict(lambda: [0, 0])
        for one in self.certificates:
            have = found[key(one), one.status]
            have[0], have[1] = have[0] + 1, have[1] + one.wh
        return dict(found)

    # --- changing

    def change(
        self, action, where, *, seller=None, buyer=None, wh=None, order="earliest", price=None, currency="",
        months=None, reference="", zone="", consumption=None, compensation="", create_parties=False,
    ):  # fmt: skip
        """Do it, all or nothing. Returns (certificates, Wh, total); raises `RefusalError`."""
        if {seller, buyer} - {None, *self.parties, *([buyer] if create_parties else [])}:
            raise RefusalError("unknown_party")
        if seller is not None and seller == buyer:
            raise RefusalError("same_party")
        rows = self._meant(action, where, seller, months, reference, zone, consumption, compensation)
        taken = self._amounts(rows, wh, order)
        if any(part < one.wh and one.status != "ACTIVE" for one, part in taken):
            raise RefusalError("wrong_state")
        if buyer is not None and buyer not in self.parties:
            self.parties.append(buyer)
        for one, part in taken:
            self._carry_out(action, one if part == one.wh else self._split(one, part), buyer)
        if action == "claim":
            self.claimed |= {(reference, one.start) for one, _ in taken}
        energy = sum(part for _, part in taken)
        total = None if price is None else round_half_even(price * energy, 1_000_000)
        if action == "trade":
            have = self.trades.setdefault(currency, [0, 0, 0, 0])
            for at, more in enumerate((1, len(taken), energy, total or 0)):
                have[at] += more
        return len(taken), energy, total

    def _meant(self, action, where, seller, months, reference, zone, consumption, compensation):  # noqa: C901
        """Return the certificates; raises for everything that speaks against any of them."""
        codes, rows = set(), self.select(where)
        if isinstance(where, list):
            known = {one.name for one in rows}
            codes |= {"no_such_certificate"} if set(where) - known else set()
            codes |= {"listed_twice"} if any(where.count(name) > 1 for name in known) else set()
        for one in rows:
            if seller is not None and one.owner != seller:
                codes.add("not_owned")
            elif one.status not in STARTS[action]:
                codes.add("wrong_state")
            if action == "trade" and self.transfer_months is not None:
                codes |= {"past_deadline"} if one.start < earlier(self.now, self.transfer_months) else set()
            if action == "expire":
                lives = max(months or 0, self.expiry_months or 0)
                codes |= {"not_expired"} if one.start >= earlier(self.now, lives) else set()
            if action == "withdraw" and one.status == "RETIRED" and not compensation:
                codes.add("needs_compensation")
            if action == "claim":
                codes |= {"already_claimed"} if (reference, one.start) in self.claimed else set()
                codes |= {"other_zone"} if zone and self.parents[one.parent]["country"] != zone else set()
        if consumption is not None:
            used = defaultdict(int)
            for one in rows:
                used[one.start] += one.wh
            codes |= {"amount_over"} if any(wh > consumption.get(at, 0) for at, wh in used.items()) else set()
        if codes or not rows:
            raise RefusalError(*(codes or {"nothing_selected"}))
        return rows

    def _amounts(self, rows, wh, order):
        """Return (certificate, Wh taken of it) where that is more than nothing."""
        if wh is None:
            return [(one, one.wh) for one in rows]
        held = sum(one.wh for one in rows)
        if not 0 < wh <= held:
            raise RefusalError("bad_amount" if wh <= 0 else "amount_over")
        amounts, left, reached, handed = {}, wh, 0, 0
        if order == "earliest":
            for one in sorted(rows, key=lambda one: one.start):
                amounts[id(one)] = min(left, one.wh)
                left -= amounts[id(one)]
        else:
            for one in rows:
                reached += one.wh
                amounts[id(one)] = wh * reached // held - handed
                handed = wh * reached // held
        return [(one, amounts[id(one)]) for one in rows if amounts[id(one)]]

    def _split(self, one, wh):
        """Leave two parts in the place of one; return the first."""
        parts = []
        for first, size in ((one.first, wh), (one.first + wh, one.wh - wh)):
            part = deepcopy(one)
            part.first, part.wh, part.whole = first, size, False
            parts.append(part)
        one.status = "SPLIT"
        self.certificates += parts
        return parts[0]

    def _carry_out(self, action, one, buyer):
        if action == "trade":
            one.owner, one.traded = buyer, True
        elif action == "unlock":
            one.status = one.former
        else:
            one.former = one.status if action == "lock" else "ACTIVE"
            one.status = ENDS[action]


def listed(words):
    """Return one or many as many."""
    return list(words) if isinstance(words, list | tuple | set) else [words]


def earlier(second, months):
    """Return the same time so many months before; the last day of a shorter month."""
    when = datetime.fromtimestamp(second, UTC)
    year, month = divmod(when.year * 12 + when.month - 1 - months, 12)
    day = min(when.day, calendar.monthrange(year, month + 1)[1])
    return int(when.replace(year=year, month=month + 1, day=day).timestamp())


def round_half_even(numerator, denominator):
    """Return the nearest whole number, of two the even one."""
    low, rest = divmod(numerator, denominator)
    if 2 * rest == denominator:
        return low + low % 2
    return low + (2 * rest > denominator)
