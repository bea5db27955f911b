"""The hooks that MQTT brokers call: one module for each kind, all ending in the same decision (registration.services.broker_auth).

A module reads its broker's question, asks the service, and writes the answer in its broker's own words; door.py does what they share:
the secret, the size of a body, and that whatever goes wrong is a refusal. Sources of the formats: docs/brokers.md.
"""
