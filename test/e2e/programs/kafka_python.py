"""Writes the lines of its input to a topic by kafka-python, up to an empty line:  kafka_python.py BROKERS TOPIC CODEC MODE

MODE is as in confluent.py.
"""
import os
import sys
from kafka import KafkaProducer

brokers, topic, codec, mode = sys.argv[1:]
settings = {"bootstrap_servers": brokers, "compression_type": None if codec == "none" else codec}
if mode == "plain":
    settings["enable_idempotence"] = False
elif mode != "idempotent":
    settings["transactional_id"] = f"{topic}.{os.getpid()}"
producer = KafkaProducer(**settings)
is_transaction = "transactional_id" in settings
if is_transaction:
    producer.init_transactions()
    producer.begin_transaction()
sent = []
for line in sys.stdin:
    if line == "\n":
        break
    sent.append(producer.send(topic, line.rstrip("\n").encode()))
producer.flush()
if mode == "open":
    print("stored", flush=True)
    sys.stdin.read()
if mode == "abort":
    producer.abort_transaction()
elif is_transaction:
    producer.commit_transaction()
for future in sent:
    future.get(30)
producer.close()
