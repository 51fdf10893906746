"""The stream worker: customers from a Kafka topic, their scores to another."""
