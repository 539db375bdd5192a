"""Writes the lines of its input to a topic by librdkafka, up to an empty line:  confluent.py BROKERS TOPIC CODEC MODE

MODE is plain, idempotent, or a transaction: commit, abort, or open, which prints a word when Kafka has all lines, and
commits at the end of the input.
"""
import os
import sys
from confluent_kafka import Producer

brokers, topic, codec, mode = sys.argv[1:]
settings = {"bootstrap.servers": brokers, "compression.type": codec}
if mode == "idempotent":
    settings["enable.idempotence"] = True
elif mode != "plain":
    settings["transactional.id"] = f"{topic}.{os.getpid()}"
producer = Producer(settings)
failures = []
is_transaction = "transactional.id" in settings
if is_transaction:
    producer.init_transactions()
    producer.begin_transaction()
for line in sys.stdin:
    if line == "\n":
        break
    producer.produce(topic, line.rstrip("\n"), on_delivery=lambda error, _: error and failures.append(str(error)))
producer.flush()
if mode == "open":
    print("stored", flush=True)
    sys.stdin.read()
if mode == "abort":
    producer.abort_transaction()
elif is_transaction:
    producer.commit_transaction()
if failures:
    sys.exit(f"{len(failures)} lines refused: {failures[0]}")
