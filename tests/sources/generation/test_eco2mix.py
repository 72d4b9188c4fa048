"""RTE eco2mix: wholes beside their parts, and rows of nothing but forecasts."""

import csv
import json
from datetime import datetime
from pathlib import Path

import pytest
from oracle import exports as oracle

from gcr_fast.sources.files import open_file
from gcr_fast.sources.generation.eco2mix import FORMAT
from gcr_fast.sources.generation.formats import read_readings
from gcr_fast.sources.model import How

EXAMPLES = Path(__file__).parent.parent / "examples"
RECORDS, LABELS = EXAMPLES / "eco2mix.json", EXAMPLES / "eco2mix-labels.csv"
FORECASTS = "rows that hold forecasts only"
KINDS = {
    "consommation": "load",
    "nucleaire": "nuclear",
    "solaire": "solar",
    "charbon": "fossil_coal",
    "gaz": "fossil_gas",
    "fioul": "fossil_oil",
    "pompage": "pumping",
    "stockage_batterie": "battery_charging",
    "destockage_batterie": "battery_storage",
    "ech_physiques": "exchange",
    "eolien_terrestre": "wind_onshore",
    "eolien_offshore": "wind_offshore",
    "hydraulique_fil_eau_eclusee": "hydro_run_of_river",
    "hydraulique_lacs": "hydro_reservoir",
    "hydraulique_step_turbinage": "hydro_pumped_storage",
    "bioenergies_biomasse": "biomass",
    "bioenergies_biogaz": "biogas",
    "bioenergies_dechets": "waste",
}


def records(path):
    document = json.loads(path.read_text(), parse_float=str, parse_int=str)
    return [record["fields"] for record in document["records"]]


def plain(rows, field, time="date_heure"):
    """Return {UTC start: W} of the rows that say what was consumed."""
    load = "consommation" if time == "date_heure" else "Consommation (MW)"
    return {
        int(datetime.fromisoformat(row[time]).timestamp()): oracle.number(row.get(field), 6, ("ND",))
        for row in rows
        if row.get(load)
    }


def labelled():
    with LABELS.open(encoding="utf-8-sig") as file:
        return list(csv.DictReader(file, delimiter=";"))


def changed(change):
    """Return the example's text after a change to the fields of each record."""
    document = json.loads(RECORDS.read_text())
    for record in document["records"]:
        change(record["fields"])
    return json.dumps(document)


def test_records_are_read_as_by_hand():
    readings = read_readings(RECORDS)
    found = {one.column: one for one in readings.series}
    assert {column: one.kind for column, one in found.items()} == KINDS
    rows = records(RECORDS)
    for column, one in found.items():
        assert oracle.values(one) == plain(rows, column)
        assert (one.area, one.power, one.interval_s, len(one)) == ("FR", True, 900, 13)
    assert (readings.format, readings.zone, readings.rows) == ("eco2mix", "Europe/Paris", 14)


def test_a_local_hour_that_repeats_is_told_by_its_offset():
    hours = [record["heure"] for record in records(RECORDS)]
    assert len(set(hours)) < len(hours) == 14
    assert len(oracle.values(read_readings(RECORDS).series[0])) == 13


def test_rows_of_forecasts_only_are_dropped_and_counted():
    assert read_readings(RECORDS).dropped == {FORECASTS: 1}
    assert read_readings(LABELS).dropped == {FORECASTS: 5}


def test_wholes_whose_parts_are_there_are_left_out_with_what_is_no_energy():
    left_out = read_readings(RECORDS).left_out
    assert left_out["eolien"] == "the sum of eolien_terrestre, eolien_offshore"
    assert left_out["hydraulique"].startswith("the sum of hydraulique_fil_eau_eclusee, ")
    assert left_out["bioenergies"].startswith("the sum of ")
    assert {
        name: left_out[name] for name in ("prevision_j1", "taux_co2", "ech_comm_suisse", "gaz_ccg", "fioul_tac")
    } == {
        "prevision_j1": "forecast",
        "taux_co2": "emission factor",
        "ech_comm_suisse": "commercial exchange, not what flowed",
        "gaz_ccg": "part of gaz",
        "fioul_tac": "part of fioul",
    }
    assert "not known" not in left_out.values()


@pytest.mark.parametrize("whole", ["eolien", "hydraulique", "bioenergies"])
def test_nothing_is_counted_twice(whole):
    """The parts sum to the whole, which the example has too."""
    rows = records(RECORDS)
    parts = [one for one in read_readings(RECORDS).series if one.column.startswith(f"{whole}_")]
    total = sum(plain(rows, whole).values())
    assert sum(int(one.values.sum()) for one in parts) == total


def test_a_part_that_is_not_always_there_gives_the_whole(write):
    first = records(RECORDS)[0]["date_heure"]

    def without(fields):
        if fields["date_heure"] == first:
            fields.pop("eolien_offshore", None)
            fields["hydraulique_lacs"] = None

    readings = read_readings(write(changed(without)))
    found = {one.column: one for one in readings.series}
    assert {"eolien", "hydraulique"} <= set(found)
    assert not {"eolien_terrestre", "eolien_offshore", "hydraulique_lacs"} & set(found)
    assert (found["hydraulique"].kind, found["hydraulique"].role) == ("hydro_and_pumped_storage", "storage")
    assert oracle.values(found["eolien"]) == plain(records(RECORDS), "eolien")
    assert readings.left_out["eolien_terrestre"] == "part of eolien, not there for all times"


def test_pumping_and_charging_keep_their_sign_and_role():
    found = oracle.named(read_readings(RECORDS))
    assert found["FR-pumping"].values.max() <= 0
    assert {found[f"FR-{kind}"].role for kind in ("pumping", "battery_charging")} == {"consumption"}
    assert found["FR-battery_storage"].role == "storage"


def test_labels_of_csv_are_read_as_by_hand():
    readings = read_readings(LABELS)
    rows = labelled()
    found = oracle.named(readings)
    columns = {
        "FR-load": "Consommation (MW)",
        "FR-nuclear": "Nucléaire (MW)",
        "FR-wind": "Eolien (MW)",
        "FR-hydro_run_of_river": "Hydraulique - Fil de l'eau + éclusée (MW)",
        "FR-hydro_pumped_storage": "Hydraulique - STEP turbinage (MW)",
        "FR-biomass": "Bioénergies (MW)",
        "FR-pumping": "Pompage (MW)",
        "FR-exchange": "Ech. physiques (MW)",
    }
    for name, column in columns.items():
        assert oracle.values(found[name]) == plain(rows, column, "Date - Heure")
        assert (found[name].interval_s, len(found[name])) == (1800, 5)


def test_a_word_for_no_data_in_a_part_gives_the_whole():
    assert any(row["Bioénergies - Biomasse (MW)"] == "ND" for row in labelled())
    assert "FR-biogas" not in oracle.named(read_readings(LABELS))


@pytest.mark.parametrize("wrap", ["results", "list", "flat list"])
def test_the_portals_other_interfaces(write, wrap):
    rows = [record["fields"] for record in json.loads(RECORDS.read_text())["records"]]
    document = {
        "results": {"total_count": len(rows), "results": rows},
        "list": [{"datasetid": "x", "fields": row} for row in rows],
        "flat list": rows,
    }[wrap]
    found = read_readings(write(json.dumps(document)))
    assert [oracle.values(one) for one in found.series] == [oracle.values(one) for one in read_readings(RECORDS).series]


def test_regions_are_areas(write):
    def regional(fields):
        fields |= {
            "code_insee_region": "84",
            "libelle_region": "Auvergne-Rhône-Alpes",
            "tco_solaire": 1.5,
            "thermique": 7,
        }

    readings = read_readings(write(changed(regional)), How(areas=frozenset({"FR-84"})))
    assert {one.area for one in readings.series} == {"FR-84"}
    assert "FR-84-fossil" in oracle.named(readings)
    assert readings.left_out["tco_solaire"] == "percentage"


# --- refusals


def test_every_bad_cell_is_named(write, refusal):
    first, second = (records(RECORDS)[at]["date_heure"] for at in (0, 3))

    def damaged(fields):
        if fields["date_heure"] == first:
            fields["solaire"] = "beaucoup"
        if fields["date_heure"] == second:
            fields["gaz"] = 1e30

    found = refusal(read_readings, write(changed(damaged)))
    assert sorted((item["line"], item["column"], item["value"]) for item in found) == [
        (1, "solaire", "beaucoup"),
        (4, "gaz", "1e+30"),
    ]


@pytest.mark.parametrize("time", ["2024-10-27T02:00:00", "27/10/2024 02:00", "", None])
def test_a_time_without_offset_is_refused(write, refusal, time):
    first = records(RECORDS)[0]["date_heure"]

    def damaged(fields):
        fields["date_heure"] = time if fields["date_heure"] == first else fields["date_heure"]

    (finding,) = refusal(read_readings, write(changed(damaged)))
    assert (finding["line"], finding["column"]) == (1, "date_heure")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"records": 1, "date_heure": 1, "consommation": 1}', "no list of records"),
        ('[1, {"date_heure": 1, "consommation": 1}]', "no list of records"),
        ('[{"fields": 1, "date_heure": 1, "consommation": 1}]', "fields are no object"),
        ('[{"consommation": 1, "x": "date_heure"}]', "has no date_heure"),
    ],
)
def test_json_of_another_shape_is_refused(write, refusal, text, said):
    (finding,) = refusal(FORMAT.read, open_file(write(text)), How())
    assert said in finding["message"]


def test_a_file_that_was_cut_off_is_refused(write, refusal):
    (finding,) = refusal(read_readings, write(RECORDS.read_text()[:2000]))
    assert "damaged JSON" in finding["message"]


# --- real records


def test_real_records_are_read_as_by_hand(real_data, tmp_path):
    """The sample is cut off in the middle of a record: what is whole of it."""
    text = (real_data / "samples" / "rte_eco2mix" / "eco2mix-national-tr_first20kB.json.txt").read_text()
    whole = text[: text.rindex('{\n            "datasetid"')].rstrip().rstrip(",") + "]}"
    path = tmp_path / "whole.json"
    path.write_text(whole)
    readings = read_readings(path)
    rows = records(path)
    assert {one.column: one.kind for one in readings.series} == KINDS
    for one in readings.series:
        assert oracle.values(one) == plain(rows, one.column)
        assert (one.interval_s, len(one)) == (900, 11)
    assert "not known" not in readings.left_out.values()


@pytest.mark.parametrize(("member", "told"), [("nhits", "4 of the 9 that the answer has"), ("rows", None)])
def test_records_that_were_not_asked_for_are_noted(write, member, told):
    records = [
        {"date_heure": f"2023-09-21T00:{15 * at:02}:00+00:00", "consommation": 5, "nucleaire": 1} for at in range(4)
    ]
    found = read_readings(write(json.dumps({member: 9, "records": [{"fields": one} for one in records]})))
    assert found.notes.get("records") == told


REGIONS = ["Bretagne", "Provence-Alpes-Côte d'Azur", "Île-de-France", "Ailleurs"]
AREAS = ["FR-53", "FR-93", "FR-11", "FR-Ailleurs"]


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_regions_without_their_numbers_are_known_by_their_names(write, kind):
    """A region's energy never passes for that of France because a column was not chosen in the download."""
    times = [f"2023-01-01T0{hour}:{minute}:00+01:00" for hour in range(2) for minute in ("00", "30")]
    rows = [(region, time, str(at + 1)) for at, region in enumerate(REGIONS) for time in times]
    text = "\n".join(["Région;Date - Heure;Consommation (MW)", *map(";".join, rows)]) + "\n"
    if kind == "json":
        text = json.dumps([{"libelle_region": a, "date_heure": b, "consommation": c} for a, b, c in rows])
    series = read_readings(write(text, f"export.{kind}")).series
    assert {one.area: one.values.tolist() for one in series} == {
        area: [at * 1_000_000] * 4 for at, area in enumerate(AREAS, start=1)
    }


def test_a_region_without_a_name_is_refused(write, refusal):
    rows = ["Bretagne;2023-01-01T00:00:00+01:00;1", ";2023-01-01T00:30:00+01:00;1"]
    (finding,) = refusal(read_readings, write("\n".join(["Région;Date - Heure;Consommation (MW)", *rows]) + "\n"))
    assert (finding["line"], finding["column"]) == (3, "libelle_region")
