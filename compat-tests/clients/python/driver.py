"""The driver protocol for Python clients: see compat-tests/src/driver.rs."""

import argparse
import faulthandler
import json
import logging
import sys
import traceback

from adapters.base import Unsupported
from scenarios import SCENARIOS
from scenarios.consume_all import consume_all
from scenarios.member import serve_member
from scenarios.tools import Context


def adapter(name):
    if name == "confluent-kafka":
        from adapters.confluent import Confluent

        return Confluent
    if name == "aiokafka":
        from adapters.aio import Aiokafka

        return Aiokafka
    if name == "kafka-python":
        from adapters.kafka_python import KafkaPython

        return KafkaPython
    if name == "kcat":
        from adapters.kcat import Kcat

        return Kcat
    raise SystemExit(f"no such client: {name}")


def run(context, scenario):
    try:
        seen = SCENARIOS[scenario](context)
        # A step that the client has no call for is left out.
        return {"observed": {k: v for k, v in seen.items() if v != "unsupported"}}
    except Unsupported as why:
        return {"unsupported": str(why)}
    except Exception as error:
        traceback.print_exc(limit=-4)
        return {"error": f"{type(error).__name__}: {error}"}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--client", required=True)
    parser.add_argument("--bootstrap", required=True)
    parser.add_argument("--prefix", default="")
    parser.add_argument("--scenarios", default="")
    parser.add_argument("--member", help="be one member of a group, described in JSON")
    parser.add_argument("--consume-all", action="store_true", help="read a topic in a group")
    parser.add_argument("--group")
    parser.add_argument("--topic")
    parser.add_argument("--expect", type=int)
    arguments = parser.parse_args()
    faulthandler.enable()
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
    client = adapter(arguments.client)(arguments.bootstrap)
    if arguments.member:
        serve_member(client, json.loads(arguments.member))
        return
    if arguments.consume_all:
        seen = consume_all(client, arguments.group, arguments.topic, arguments.expect)
        print(json.dumps(seen), flush=True)
        raise SystemExit(seen["count"] != arguments.expect)
    for scenario in arguments.scenarios.split(","):
        context = Context(client, arguments.prefix, scenario)
        line = {"client": arguments.client, "scenario": scenario, **run(context, scenario)}
        print(json.dumps(line), flush=True)
    client.close()


if __name__ == "__main__":
    main()
