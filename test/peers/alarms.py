"""First alarms of real detectors on given streams.

Standard input: {"settings": [{"name", "library", "detector", "options"}], "streams": [{"id", "values": [...]}]}
Standard output: {"versions": {...}, "alarms": [{"name", "stream", "alarm": index from 0 or null}]}
"""

import json
import sys
from importlib.metadata import version

from frouros.detectors.concept_drift import CUSUM, CUSUMConfig
from river import drift

RIVER = {
    "ADWIN": drift.ADWIN,
    "PageHinkley": drift.PageHinkley,
    "KSWIN": drift.KSWIN,
    "DDM": drift.binary.DDM,
    "EDDM": drift.binary.EDDM,
}


def made(setting):
    """A step that takes a value and tells whether the fresh detector alarms."""
    if setting["library"] == "river":
        detector = RIVER[setting["detector"]](**setting["options"])

        def step(value):
            detector.update(value)
            return detector.drift_detected

        return step
    detector = CUSUM(config=CUSUMConfig(**setting["options"]))

    def step(value):
        detector.update(value=value)
        return detector.drift

    return step


def first_alarm(setting, values):
    step = made(setting)
    for index, value in enumerate(values):
        if step(value):
            return index
    return None


def main():
    asked = json.load(sys.stdin)
    alarms = [
        {"name": setting["name"], "stream": stream["id"], "alarm": first_alarm(setting, stream["values"])}
        for setting in asked["settings"]
        for stream in asked["streams"]
    ]
    json.dump({"versions": {name: version(name) for name in ("river", "frouros")}, "alarms": alarms}, sys.stdout)


main()
