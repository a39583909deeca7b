"""Amazon's signature: what is believed, which address is fetched, and that it is fetched once."""

from datetime import UTC, datetime

import pytest

from reminders import sns
from tests.reminders import reports
from tests.reminders.amazon import HOST, TOPIC, certificate, key, pem

NOW = datetime(2026, 3, 3, 15, 0, tzinfo=UTC)
PATH = "/SimpleNotificationService-f3ecfb7224c7233fe7bb5f59f96de52f.pem"


def check(message, now=NOW):
    sns.verify(message, topics=[TOPIC], now=now)


@pytest.fixture
def plain():
    return reports.notification(reports.payload("amazon_ses", "hard_bounce"))


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("subject", [{}, {"Subject": "Bounce"}], ids=["no subject", "subject"])
def test_what_amazon_signed_is_believed(amazon, plain, version, subject):
    check(amazon.signed({**plain, **subject}, version))


def test_a_confirmation_signs_other_fields(amazon):
    message = reports.payload("amazon_ses", "_confirmation")
    del message["SigningCertURL"]
    check(amazon.signed(message))
    forged = {**amazon.signed(message), "Token": "another"}
    with pytest.raises(sns.Forged, match="wrong signature"):
        check(forged)


@pytest.mark.parametrize("field", ["Message", "MessageId", "Timestamp", "Subject"])
def test_a_changed_word_is_a_forgery(amazon, plain, field):
    with pytest.raises(sns.Forged, match="wrong signature"):
        check({**amazon.signed({**plain, "Subject": "Bounce"}), field: "another"})


@pytest.mark.parametrize("field", ["Message", "Timestamp", "Signature", "SigningCertURL", "Type"])
@pytest.mark.parametrize("value", [None, 7, ["x"], {"a": "b"}])
def test_a_missing_or_strange_field_is_a_forgery(amazon, plain, field, value):
    with pytest.raises(sns.Forged):
        check({**amazon.signed(plain), field: value})


@pytest.mark.parametrize("version", ["", "0", "3", "1 ", "v2"])
def test_another_signature_version_is_refused(amazon, plain, version):
    with pytest.raises(sns.Forged, match="version"):
        check({**amazon.signed(plain), "SignatureVersion": version})


@pytest.mark.parametrize("signature", ["", "not base64!", "QUJD", "é"])
def test_nonsense_as_a_signature_is_a_forgery(amazon, plain, signature):
    with pytest.raises(sns.Forged, match="wrong signature"):
        check({**amazon.signed(plain), "Signature": signature})


def test_the_key_of_somebody_else_is_a_forgery(amazon, plain):
    with pytest.raises(sns.Forged, match="wrong signature"):
        check(amazon.signed(plain, signer="somebody"))


def test_the_digest_of_version_1_does_not_pass_as_version_2(amazon, plain):
    with pytest.raises(sns.Forged, match="wrong signature"):
        check({**amazon.signed(plain, "1"), "SignatureVersion": "2"})


def test_another_topic_is_refused_before_anything_is_fetched(amazon, plain):
    others = amazon.signed({**plain, "TopicArn": TOPIC + "2"})
    with pytest.raises(sns.Forged, match="topic"):
        check(others)
    assert not amazon.asked


@pytest.mark.parametrize(
    "url",
    [
        f"http://{HOST}{PATH}",
        f"https://evil.example{PATH}",
        f"https://{HOST}.evil.example{PATH}",
        f"https://evil.example/{HOST}{PATH}",
        f"https://{HOST}@evil.example{PATH}",
        f"https://evil.example\\@{HOST}{PATH}",
        f"https://{HOST}:444{PATH}",
        f"https://{HOST}:443{PATH}",
        f"https://user@{HOST}{PATH}",
        f"https://{HOST.upper()}{PATH}",
        f"https://sns.eu-west-1.amazonaws.com{PATH}",  # not this topic's region
        f"https://sns.us-west-2.amazonaws.com.cn{PATH}",
        f"https://sqs.us-west-2.amazonaws.com{PATH}",
        f"https://s3.us-west-2.amazonaws.com/sns{PATH}",
        f"https://{HOST}/other.pem",
        f"https://{HOST}{PATH}?x=1",
        f"https://{HOST}{PATH}#x",
        f"https://{HOST}/..{PATH}",
        f"https://{HOST}{PATH}/../x.pem",
        f"https://{HOST}{PATH}\n",
        f" https://{HOST}{PATH}",
        f"https://{HOST}/SimpleNotificationService-.pem",
        f"https://[{HOST}]{PATH}",
        "file:///etc/passwd.pem",
        "",
    ],
)
def test_no_other_address_is_fetched(amazon, plain, url):
    assert not sns.is_amazons(url, topic=TOPIC)
    with pytest.raises(sns.Forged, match="certificate address"):
        check(amazon.signed({**plain, "SigningCertURL": url}))
    assert not amazon.asked


@pytest.mark.parametrize(
    ("region", "arn"),
    [
        ("us-west-2", TOPIC),
        ("eu-central-1", "arn:aws:sns:eu-central-1:123456789012:reports.fifo"),
        ("us-gov-west-1", "arn:aws-us-gov:sns:us-gov-west-1:123456789012:reports"),
        ("ap-southeast-12", "arn:aws:sns:ap-southeast-12:123456789012:reports"),
    ],
)
def test_the_host_follows_from_the_topic(region, arn):
    assert sns.is_amazons(f"https://sns.{region}.amazonaws.com{PATH}", topic=arn)


@pytest.mark.parametrize("arn", ["", "x", "arn:aws:sns:evil.example/:123456789012:a", TOPIC + "\n"])
def test_what_is_no_topic_has_no_host(arn):
    assert not sns.is_amazons(f"https://{HOST}{PATH}", topic=arn)


def test_a_certificate_is_fetched_once(amazon, plain):
    for _ in range(10):
        check(amazon.signed(plain))
    assert len(amazon.asked) == 1


def test_amazons_host_must_prove_that_it_is_amazons(amazon, plain, tmp_path):
    elsewhere = tmp_path / "another.pem"
    elsewhere.write_bytes(pem(certificate("another", key("another"), by="another")))
    sns.SESSION.mount(f"https://{HOST}", amazon.adapter(elsewhere))
    with pytest.raises(sns.Unreachable, match="SSLError"):
        check(amazon.signed(plain))
    assert not amazon.asked


@pytest.mark.parametrize(("status", "error"), [(404, "404"), (500, "500"), (302, "302")])
def test_an_answer_that_is_no_certificate_is_asked_for_again(amazon, plain, status, error):
    url = amazon.publish(pem(certificate("sns.amazonaws.com", key("signer"))), status)
    message = amazon.signed({**plain, "SigningCertURL": url})
    for _ in range(2):
        with pytest.raises(sns.Unreachable, match=error):
            check(message)
    assert len(amazon.asked) == 2


@pytest.mark.parametrize(
    "content", [b"", b"not a certificate", b"x" * (sns.MOST_BYTES + 1)], ids=["none", "no", "long"]
)
def test_nonsense_in_the_place_of_a_certificate_is_a_forgery(amazon, plain, content):
    message = amazon.signed({**plain, "SigningCertURL": amazon.publish(content)})
    with pytest.raises(sns.Forged, match="not a certificate"):
        check(message)


def test_a_small_key_is_refused(amazon, plain):
    url = amazon.publish(pem(certificate("sns.amazonaws.com", key("small", 1024))))
    with pytest.raises(sns.Forged, match="not a key"):
        check(amazon.signed({**plain, "SigningCertURL": url}, signer="small"))


def test_a_certificate_counts_until_its_last_second(amazon, plain):
    url = amazon.publish(pem(certificate("sns.amazonaws.com", key("signer"), ends=NOW)))
    message = amazon.signed({**plain, "SigningCertURL": url})
    check(message, now=NOW)
    with pytest.raises(sns.Forged, match="not valid now"):
        check(message, now=NOW.replace(second=1))
