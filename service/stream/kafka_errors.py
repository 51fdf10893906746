"""Errors of Kafka: which of them pass, and what to do about those that do not."""

from __future__ import annotations

from typing import Any

from kafka import errors as kafka_errors  # type: ignore[import-untyped]
from kafka.errors import KafkaError  # type: ignore[import-untyped]

from churn.errors import ChurnError, error_reason
from service.stream.session import PermanentError
from service.stream.stream_settings import StreamSettings


class CertificateRefusedError(KafkaError):  # type: ignore[misc]
    """A broker's certificate does not fit; to both clients that is one failed connection of many."""


class CertificateWantedError(KafkaError):  # type: ignore[misc]
    """A broker asks for a certificate of the worker's own, which has none or one that does not fit."""


def certificate_error(text: str) -> type[KafkaError] | None:
    """Returns what a failed connection says about a certificate, in the words of either client."""
    words = text.lower().replace("_", " ")
    if "certificate verify failed" in words:
        return CertificateRefusedError
    if "alert" in words and ("certificate" in words or "unknown ca" in words):
        return CertificateWantedError
    return None


# Kafka itself calls these not retriable: the same request is not to be repeated. A new session,
# which begins after the last commit, may well succeed.
_PASSING = (
    kafka_errors.RetriableError,
    kafka_errors.BrokerNotAvailableError,
    kafka_errors.CommitFailedError,
    kafka_errors.DuplicateSequenceNumberError,
    kafka_errors.IllegalGenerationError,
    kafka_errors.InvalidProducerEpochError,
    kafka_errors.InvalidProducerIdMappingError,
    kafka_errors.KafkaProtocolError,
    kafka_errors.LogTruncationError,
    kafka_errors.MemberIdRequiredError,
    kafka_errors.OffsetOutOfRangeError,
    kafka_errors.OutOfOrderSequenceNumberError,
    kafka_errors.ProducerFencedError,
    kafka_errors.QuotaViolationError,
    kafka_errors.RebalanceInProgressError,
    kafka_errors.StaleBrokerEpochError,
    kafka_errors.UnknownBrokerIdError,
    kafka_errors.UnknownError,
    kafka_errors.UnknownMemberIdError,
    kafka_errors.UnknownProducerIdError,
)

_ADVICE: tuple[tuple[tuple[type[KafkaError], ...], str], ...] = (
    (
        (kafka_errors.UnsupportedCodecError, kafka_errors.UnsupportedCompressionTypeError),
        (
            "Install requirements-stream.lock, which reads gzip, lz4, snappy and zstd, or move the "
            "group '{group}' past the batch."
        ),
    ),
    (
        (kafka_errors.CorruptRecordError,),
        "Move the group '{group}' past the batch with kafka-consumer-groups.sh --reset-offsets.",
    ),
    (
        (kafka_errors.AuthorizationError,),
        (
            "Let the worker's user read '{input_topic}' and the group '{group}', and write "
            "'{output_topic}' and '{dead_letter_topic}'."
        ),
    ),
    (
        (
            kafka_errors.SaslAuthenticationFailedError,
            kafka_errors.UnsupportedSaslMechanismError,
            kafka_errors.IllegalSaslStateError,
        ),
        "Check CHURN_KAFKA_MECHANISM, CHURN_KAFKA_USER and CHURN_KAFKA_PASSWORD.",
    ),
    (
        (CertificateRefusedError,),
        (
            "Set CHURN_KAFKA_CA_FILE to the certificates that signed the brokers', and "
            "CHURN_KAFKA_SERVERS to names that these are for."
        ),
    ),
    (
        (CertificateWantedError,),
        (
            "The brokers want a certificate of the worker's own that they trust: set "
            "CHURN_KAFKA_CERTIFICATE_FILE and CHURN_KAFKA_KEY_FILE to it, or CHURN_KAFKA_SERVERS to a "
            "listener that asks for none (ssl.client.auth=none)."
        ),
    ),
    (
        (kafka_errors.MessageSizeTooLargeError, kafka_errors.RecordListTooLargeError),
        "Raise the topic's max.message.bytes, or lower CHURN_MAX_MESSAGE_BYTES.",
    ),
    (
        (kafka_errors.UnsupportedVersionError, kafka_errors.UnrecognizedBrokerVersion),
        "Use brokers of Kafka 2.1 or later.",
    ),
    (
        (kafka_errors.FencedInstanceIdError,),
        "Another worker has this CHURN_INSTANCE: give each a name of its own.",
    ),
    (
        (kafka_errors.InconsistentGroupProtocolError, kafka_errors.InvalidGroupIdError),
        "Set a CHURN_GROUP that only these workers use.",
    ),
    (
        (kafka_errors.InvalidSessionTimeoutError,),
        (
            "Set CHURN_SESSION_SECONDS to what the brokers allow (group.min.session.timeout.ms, "
            "group.max.session.timeout.ms)."
        ),
    ),
)
_OTHER_ADVICE = "The brokers' log says more."


def passes(error: BaseException) -> bool:
    """Returns whether a later session may not meet the error again."""
    # The bare class is what kafka-python raises after another error, which it has raised before.
    return isinstance(error, _PASSING) or type(error) is KafkaError


def describe_failure(what: str, error: KafkaError, settings: StreamSettings) -> ChurnError:
    """Returns the error that a command ends with, which does not wait for brokers as a worker does."""
    if type(error) is KafkaError:  # a sentence of ours already
        return ChurnError(str(error).removeprefix("KafkaError: "))
    return describe_permanent(what, error, settings)


def describe_permanent(
    what: str, error: BaseException, settings: StreamSettings, **place: Any
) -> PermanentError:
    """Returns the error to end with: what failed, why, and the way out."""
    # What decompresses a batch raises errors of its own, at a known place.
    known: BaseException = error
    if place and not isinstance(error, KafkaError):
        known = kafka_errors.CorruptRecordError()
    advice = next((text for kinds, text in _ADVICE if isinstance(known, kinds)), _OTHER_ADVICE)
    way_out = advice.format(
        group=settings.group,
        input_topic=settings.input_topic,
        output_topic=settings.output_topic,
        dead_letter_topic=settings.dead_letter_topic,
    )
    return PermanentError(f"{what}: {error_reason(error, longest=500)}. {way_out}", **place)


def absent_topic(topic: str) -> PermanentError:
    """Returns the error that ends a worker whose topic is not there."""
    return PermanentError(
        f"The topic '{topic}' does not exist, or the worker's user must not see it. Create it, "
        "let the user see it, or name another one (CHURN_INPUT_TOPIC, CHURN_OUTPUT_TOPIC, "
        "CHURN_DEAD_LETTER_TOPIC).",
        topic=topic,
    )
