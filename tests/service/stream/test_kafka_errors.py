"""Which errors of Kafka are waited for, and what is said of the others."""

import lzma

import pytest
from kafka import errors

from service.stream.kafka_errors import describe_permanent, passes
from service.stream.stream_settings import StreamSettings

PASSING = (
    "BrokerNotAvailableError", "CommitFailedError", "CoordinatorLoadInProgressError",
    "CoordinatorNotAvailableError", "DuplicateSequenceNumberError", "FencedLeaderEpochError",
    "IllegalGenerationError", "InvalidProducerEpochError", "InvalidProducerIdMappingError",
    "KafkaConnectionError", "KafkaError", "KafkaStorageError", "KafkaTimeoutError",
    "LeaderNotAvailableError", "MemberIdRequiredError", "NetworkExceptionError",
    "NodeNotReadyError", "NotCoordinatorError", "NotEnoughReplicasAfterAppendError",
    "NotEnoughReplicasError", "NotLeaderForPartitionError", "OffsetOutOfRangeError",
    "OutOfOrderSequenceNumberError", "QuotaViolationError", "RebalanceInProgressError",
    "ReplicaNotAvailableError", "RequestTimedOutError", "StaleBrokerEpochError",
    "ThrottlingQuotaExceededError", "UnknownBrokerIdError", "UnknownError", "UnknownMemberIdError",
    "UnknownProducerIdError", "UnknownTopicOrPartitionError", "UnstableOffsetCommitError",
)  # fmt: skip
PERMANENT = {
    "UnsupportedCodecError": "past the batch",
    "UnsupportedCompressionTypeError": "past the batch",
    "CorruptRecordError": "--reset-offsets",
    "TopicAuthorizationFailedError": "read 'churn-customers'",
    "GroupAuthorizationFailedError": "the group 'churn-stream'",
    "ClusterAuthorizationFailedError": "write 'churn-scores' and 'churn-rejected'",
    "SaslAuthenticationFailedError": "CHURN_KAFKA_PASSWORD",
    "UnsupportedSaslMechanismError": "CHURN_KAFKA_MECHANISM",
    "IllegalSaslStateError": "CHURN_KAFKA_USER",
    "MessageSizeTooLargeError": "CHURN_MAX_MESSAGE_BYTES",
    "RecordListTooLargeError": "max.message.bytes",
    "UnsupportedVersionError": "Kafka 2.1",
    "IncompatibleBrokerVersion": "Kafka 2.1",
    "UnrecognizedBrokerVersion": "Kafka 2.1",
    "FencedInstanceIdError": "CHURN_INSTANCE",
    "InconsistentGroupProtocolError": "CHURN_GROUP",
    "InvalidGroupIdError": "CHURN_GROUP",
    "InvalidSessionTimeoutError": "CHURN_SESSION_SECONDS",
    "InvalidTopicError": "brokers' log",
    "InvalidRecordError": "brokers' log",
    "InvalidTimestampError": "brokers' log",
    "PolicyViolationError": "brokers' log",
    "SecurityDisabledError": "brokers' log",
    "UnsupportedForMessageFormatError": "brokers' log",
}


@pytest.mark.parametrize("name", PASSING)
def test_what_another_session_may_not_meet_passes(name):
    assert passes(getattr(errors, name)())


@pytest.mark.parametrize("name", PERMANENT)
def test_what_every_session_meets_is_permanent_and_has_a_way_out(name):
    error = getattr(errors, name)("the broker's own words.")

    ending = describe_permanent("What failed", error, StreamSettings(), topic="t", offset=3)

    assert not passes(error)
    assert str(ending).startswith("What failed: ")
    assert "the broker's own words. " in str(ending)
    assert PERMANENT[name] in str(ending)
    assert ending.place == {"topic": "t", "offset": 3}


@pytest.mark.parametrize("error", [lzma.LZMAError("Corrupt"), RuntimeError("x"), EOFError()])
@pytest.mark.parametrize(
    ("place", "way_out"), [({"partition": 0}, "--reset-offsets"), ({}, "brokers' log")]
)
def test_an_error_of_a_library_that_decompresses_is_a_damaged_batch_where_one_was_found(
    error, place, way_out
):
    ending = describe_permanent("What failed", error, StreamSettings(), **place)

    assert not passes(error)
    assert way_out in str(ending)
