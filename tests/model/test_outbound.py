from ipaddress import ip_network

import pytest

from syncd.model.outbound import reachable

DENIED = """
0.0.0.0 10.0.0.1 100.64.0.1 127.0.0.1 127.255.255.254 169.254.169.254 172.16.0.1 172.31.255.255
192.0.0.1 192.0.0.9 192.0.2.1 192.88.99.1 192.168.0.1 198.18.0.1 198.51.100.1 203.0.113.1
168.63.129.16 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255
:: ::1 ::127.0.0.1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 64:ff9b::7f00:1
64:ff9b:1::1 100::1 2001::1 2001:2::1 2001:10::1 2001:db8::1 2002:7f00:1:: 3fff::1 5f00::1
fc00::1 fd00::1 fe80::1 fe80::1%eth0 fec0::1 ff02::1
""".split()  # noqa: SIM905 - a list of them would be a page long
PUBLIC = ["1.1.1.1", "8.8.8.8", "2606:4700:4700::1111", "2a00:1450:4001::1", "::ffff:8.8.8.8"]


@pytest.mark.parametrize("address", DENIED)
def test_an_address_that_is_not_public_is_denied_o1(address: str) -> None:
    assert not reachable(address, ())


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_reachable(address: str) -> None:
    assert reachable(address, ())


def test_the_operator_may_allow_private_networks() -> None:
    allowed = (ip_network("10.1.0.0/16"), ip_network("::1/128"))
    assert reachable("10.1.2.3", allowed)
    assert reachable("::ffff:10.1.2.3", allowed)
    assert reachable("::1", allowed)
    assert not reachable("10.2.0.1", allowed)
