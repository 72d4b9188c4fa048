"""Random lives of a registry, beside its slow twin: after every step both hold the same, and nothing was lost.

`GCR_MODEL_LIVES` says how many lives are lived, of `GCR_MODEL_STEPS` steps each.
"""

import os
import random
from collections import Counter

import numpy as np
import pytest
from oracle import conversion
from oracle import registry as oracle
from oracle.conversion import DAY, HOUR, START, annual_table, certificates_of, profile_table, series

from gcr_fast import RefusedError, Registry, profiles_from
from gcr_fast.codes import SOURCE_TYPES, STATUSES
from gcr_fast.registry.catalogue import Catalogue
from gcr_fast.registry.state import State
from gcr_fast.registry.stored import VISIBLE, months

LIVES = int(os.environ.get("GCR_MODEL_LIVES", "8"))
STEPS = int(os.environ.get("GCR_MODEL_STEPS", "60"))

PARTIES = ("Ann", "Bob", "Cid", "Dot")
SOURCES = ("solar", "wind_onshore", "wind_offshore", "hydro", "nuclear")
SELLER = ("trade", "reserve", "release", "retire", "claim")
ACTIONS = {
    "trade": 10, "reserve": 4, "release": 3, "lock": 2, "unlock": 2, "retire": 4, "claim": 4, "expire": 1,
    "withdraw": 1,
}  # fmt: skip
MONTH = 31 * DAY


class LeftError(Exception):
    """What leaves a group midway."""


class Life:
    """A registry and its twin, and the dice."""

    def __init__(self, folder, seed):
        self.dice = random.Random(seed)
        self.folder = folder
        policy = self.dice.choice([{}, {"transfer_months": 12, "expiry_months": 18}])
        self.twin = oracle.Registry(now=START + 8 * MONTH, **policy)
        self.real = Registry.create(folder, clock=lambda: self.twin.now, **policy)
        self.outcomes = Counter()
        for name in PARTIES:
            self.real.add_party(name)
            self.twin.parties.append(name)

    # --- steps

    def step(self):
        """Do one thing at random, to both."""
        chances = {"change": 30, "issue": 3, "group": 3, "reopen": 2, "snapshot": 1, "later": 1}
        what = "issue" if not self.twin.parents else self.dice.choices(list(chances), list(chances.values()))[0]
        getattr(self, what)()

    def later(self):
        """Let time pass."""
        self.twin.now += self.dice.choice([HOUR, DAY, MONTH])

    def snapshot(self):
        self.real.snapshot()

    def reopen(self):
        """Close and open again, perhaps without a snapshot."""
        self.real.close()
        if self.dice.random() < 0.5:
            for file in (self.folder / "snapshots").iterdir():
                file.unlink()
        self.real = Registry.open(self.folder, clock=lambda: self.twin.now)

    def issue(self):
        """Issue some certificates, now and then some that were issued before."""
        rows, profiles = self.certificates()
        hours, _ = conversion.convert(rows, profiles)
        shapes = profiles_from(profile_table(profiles), keep_intervals=True)
        before = self.real.position
        try:
            facts = {row["certificate_id"]: facts_of(row) for row in rows}
            if facts.keys() & self.twin.parents.keys():
                raise oracle.RefusalError("already_converted")
        except oracle.RefusalError as refusal:
            self.refused(refusal.codes, self.real.issue, annual_table(*rows), shapes)
            assert self.real.position == before
            return
        receipt = self.real.issue(annual_table(*rows), shapes, create_parties=True)
        assert receipt.energy_wh == sum(sum(each.values()) for each in hours.values())
        placed = self.real.state.catalogue.ids.to_pylist()[len(self.twin.parents) :]
        assert sorted(placed) == sorted(facts)
        self.twin.issue({name: facts[name] for name in placed}, hours)

    def certificates(self):
        """Return rows of an annual table, of different lengths, and their profiles."""
        dice, rows, profiles = self.dice, [], {}
        for number in range(dice.randint(1, 3)):
            step, begin = dice.choice([HOUR, HOUR, 900]), START + HOUR * dice.choice([0, 5, 740])
            weights = [dice.choice([0, 1, 5, 40]) for _ in range(dice.choice([1, 6, 9]))] + [3]
            profiles[f"p{number}"] = series(weights, begin, step)
            end = -(-len(weights) * step // HOUR) * HOUR
            profiles[f"p{number}"] |= series([1] * (end // step - len(weights)), begin + len(weights) * step, step)
            name = f"GO/{dice.randint(0, 400)}"
            if name not in [row["certificate_id"] for row in rows]:
                rows.append(
                    {
                        "certificate_id": name,
                        "profile": f"p{number}",
                        "start": begin,
                        "end": begin + end,
                        "energy_wh": dice.choice([1, 7, 1000, 10**6 + 3, 10**11]),
                        "purpose": dice.choice(["conversion"] * 6 + ["end_use", None]),
                        "owner": dice.choice([*PARTIES, "Eve"]),
                        "source_type": dice.choice(SOURCES),
                        "device_id": dice.choice([None, "D1", "D2"]),
                        "country": dice.choice([None, "ES", "FR"]),
                        "allocation_basis": dice.choice(["facility_profile", "regional_technology_profile"]),
                        "step": step,
                    }
                )
        return certificates_of(*rows), profiles

    def group(self):
        """Make some changes together; now and then leave before the end."""
        kept, position = self.twin.copy(), self.real.position
        fails = self.dice.random() < 0.4
        try:
            with self.real.group():
                for _ in range(self.dice.randint(1, 4)):
                    self.change()
                if fails:
                    raise LeftError
        except LeftError:
            self.twin = kept
            assert self.real.position == position

    def change(self):
        """Ask both for the same; they agree on what comes of it."""
        action = self.dice.choices(list(ACTIONS), list(ACTIONS.values()))[0]
        where = self.selection(action)
        how, said = self.terms(action)
        if self.dice.random() < 0.15:
            self.unchanged(action, where, said)
        try:
            expected = self.twin.change(action, where, **how)
        except oracle.RefusalError as refusal:
            self.refused(refusal.codes, self.call(action), where, **said)
            self.outcomes[action, "refused"] += 1
            return
        receipt = self.call(action)(where, **said)
        assert (receipt.certificates, receipt.energy_wh, receipt.total_minor) == expected
        self.outcomes[action, "done"] += 1

    def unchanged(self, action, where, said):
        """A dry run changes nothing, whatever it says."""
        before = self.real.position
        try:
            receipt = self.call(action)(where, dry_run=True, **said)
            assert (receipt.entry, receipt.hash) == (0, "")
        except RefusedError:
            pass
        assert self.real.position == before

    def call(self, action):
        """Return the verb, its selection first."""
        if action == "expire":
            return lambda where, **said: self.real.expire(None, where, **said)
        return getattr(self.real, action)

    def refused(self, codes, call, *arguments, **options):
        """Nothing is changed by what is refused, and the reasons are those."""
        before = self.real.position
        with pytest.raises(RefusedError) as caught:
            call(*arguments, **options)
        assert {item.code for item in caught.value.collected.of("error")} >= codes
        if "already_claimed" not in codes:
            assert {item.code for item in caught.value.collected.of("error")} == codes
        assert self.real.position == before

    def selection(self, action):
        """Return filters that find something fit for the action, most of the time, or names."""
        dice = self.dice
        fit = [one for one in self.twin.certificates if one.status in oracle.STARTS[action]]
        one = dice.choice(fit if fit and dice.random() < 0.9 else self.twin.certificates)
        self.owner = one.owner if dice.random() < 0.95 else dice.choice(PARTIES)
        kind = dice.random()
        if kind < 0.4:
            alike = [other.name for other in fit if (other.owner, other.parent) == (one.owner, one.parent)]
            names = dice.sample(alike, min(len(alike), dice.randint(1, 4)))
            return (
                (names or [one.name])
                + (["HOURLY-none-2024010100"] if dice.random() < 0.05 else [])
                + (names[:1] if dice.random() < 0.05 else [])
            )
        where = {"owner": one.owner, "status": one.status if dice.random() < 0.9 else None}
        if kind < 0.7:
            where["parent"] = one.parent
        if dice.random() < 0.3:
            where |= {"start": one.start - 3 * HOUR, "end": one.start + 2 * HOUR}
        if dice.random() < 0.1:
            where["hour_of_day"] = [one.start // HOUR % 24, dice.randint(0, 23)]
        return {name: value for name, value in where.items() if value is not None}

    def terms(self, action):
        """Return the other arguments, for the twin and for the real one."""
        dice, how, said = self.dice, {}, {}
        if action in SELLER:
            how["seller"] = self.owner
            said["seller" if action == "trade" else "owner"] = self.owner
        if action in ("trade", "reserve", "retire") and dice.random() < 0.5:
            amounts, orders = [0, 1, 5, 500, 10**6, 10**10], ["earliest", "proportional"]
            how |= {"wh": dice.choice(amounts), "order": dice.choice(orders)}
            said |= how
            said.pop("seller" if action != "trade" else None, None)
        if action == "trade":
            buyer = dice.choice([*PARTIES, "Fay"])
            price, currency = dice.choice([(None, ""), (0, "EUR"), (4550, "EUR"), (33, "JPY")])
            shown = None if price is None else f"{price // 100}.{price % 100:02}" if currency == "EUR" else str(price)
            how |= {"buyer": buyer, "price": price, "currency": currency}
            said |= {"buyer": buyer, "price": shown, "currency": currency}
            if dice.random() < 0.5:
                how["create_parties"] = said["create_parties"] = True
        elif action == "retire":
            said["beneficiary"] = "someone"
        elif action in ("lock", "unlock", "withdraw"):
            said["reason"] = "a reason"
        if action == "withdraw" and dice.random() < 0.5:
            how["compensation"] = said["compensation"] = "made good"
        elif action == "expire":
            how["months"] = said["months"] = dice.choice([3, 12])
        elif action == "claim":
            how |= {"reference": dice.choice(["M1", "M2"]), "zone": dice.choice(["", "ES"])}
            said |= {"reference": how["reference"], "zone": how["zone"]}
        return how, said

    # --- what must hold

    def check(self):
        """Both hold the same, energy is where it was, and the sums are those of a count."""
        table = self.real.query(status=list(STATUSES)).to_table(certificate_ids=True)
        columns = (table[name].to_pylist() for name in ("certificate_id", "owner", "status", "energy_wh"))
        expected = [(one.name, one.owner, one.status, one.wh) for one in self.twin.ordered()]
        assert list(zip(*columns, strict=True)) == expected
        assert table["production_start"].cast("int64").to_pylist() == [one.start * 1000 for one in self.twin.ordered()]
        traded = self.real.query(status="TRADED").to_table(certificate_ids=True)["certificate_id"].to_pylist()
        assert traded == [one.name for one in self.twin.select({"status": "TRADED"})]
        self.check_energy()
        self.check_sums(self.real.state)

    def check_energy(self):
        """Energy of a parent is what it was issued, in whatever hands and states and parts."""
        catalogue = self.real.state.catalogue
        held = Counter()
        for one in self.twin.certificates:
            held[one.parent] += one.wh if one.status != "SPLIT" else 0
        for at, name in enumerate(catalogue.ids.to_pylist()):
            result = self.real.query(parent=name)
            assert result.energy_wh == held[name] == catalogue.issued_wh[at]
            assert catalogue.issued_wh[at] + catalogue.residual_wh[at] == catalogue.energy_wh[at]

    def check_sums(self, state):
        """Sums by owner, source and month and status."""
        catalogue, begins = state.catalogue, months()
        place = {name: at for at, name in enumerate(catalogue.ids.to_pylist())}
        for sums, key in (
            (state.by_owner, lambda one: catalogue.party_code(one.owner)),
            (state.by_source, lambda one: int(catalogue.source[place[one.parent]])),
            (state.by_month, lambda one: int(np.searchsorted(begins, one.start, side="right")) - 1),
        ):
            found = Counter()
            for at, stored, figure in zip(*np.nonzero(sums), strict=True):
                found[int(at), STATUSES[VISIBLE[stored]], int(figure)] += int(sums[at, stored, figure])
            counted = {(*at, n): v for at, pair in self.twin.sums(key).items() for n, v in enumerate(pair) if v}
            assert {at: v for at, v in found.items() if v} == counted
        assert state.trades == self.twin.trades
        known = [(state.references.words[reference], start) for reference, start in state.claims.rows.tolist()]
        assert len(known) == len(set(known))
        assert set(known) == self.twin.claimed

    def check_replay(self):
        """The journal alone gives the same state, and so does the folder opened anew."""
        replayed = State(Catalogue(self.folder))
        for record in self.real.journal.entries():
            replayed.apply(record.seq, record.entry)
        same_state(self.real.state, replayed)
        with Registry.open(self.folder, read_only=True) as other:
            same_state(self.real.state, other.state)
        assert self.real.journal.verify_chain() == []


def facts_of(row):
    names = ("owner", "purpose", "source_type", "device_id", "country", "allocation_basis", "step")
    return {name: row[name] for name in names}


def same_state(left, right):
    """Two states are the same in everything that can be asked of them."""
    assert left.position == right.position
    assert left.catalogue.ids.equals(right.catalogue.ids)
    assert left.catalogue.parties.words == right.catalogue.parties.words
    for name, column in left.catalogue.numbers.items():
        assert np.array_equal(column, right.catalogue.numbers[name]), name
    for mine, other in zip(left.columns, right.columns, strict=True):
        for column in ("owners", "states"):
            ours, theirs = getattr(mine, column), getattr(other, column)
            full = max(len(ours), len(theirs))
            assert np.array_equal(np.resize(ours, full) if len(ours) else np.zeros(full), filled(theirs, full)), column
    assert np.array_equal(left.pieces.rows, right.pieces.rows)
    assert left.pieces_of == right.pieces_of
    assert np.array_equal(left.touches.rows, right.touches.rows)
    assert left.touched == right.touched
    assert np.array_equal(left.claims.rows, right.claims.rows)
    assert left.references.words == right.references.words
    assert left.trades == right.trades
    for name in ("by_owner", "by_source", "by_month"):
        mine, other = getattr(left, name), getattr(right, name)
        full = max(len(mine), len(other))
        assert np.array_equal(padded(mine, full), padded(other, full)), name


def filled(column, size):
    return column if len(column) else np.zeros(size)


def padded(sums, size):
    return np.concatenate([sums, np.zeros((size - len(sums), *sums.shape[1:]), sums.dtype)])


@pytest.mark.parametrize("seed", range(LIVES))
def test_a_registry_lives_as_its_slow_twin_does(tmp_path, seed):
    life = Life(tmp_path / "registry", seed)
    for number in range(STEPS):
        life.step()
        life.check()
        if number % 10 == 9:
            life.check_replay()
    life.check_replay()
    life.real.close()
    done = {action for action, outcome in life.outcomes if outcome == "done"}
    assert "trade" in done
    assert len(done) >= 4


def test_source_types_of_the_model_are_known():
    assert set(SOURCES) <= set(SOURCE_TYPES)
