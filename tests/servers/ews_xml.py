"""SOAP as Exchange writes it: elements, response messages, faults. Nothing of syncd's."""

from collections.abc import Iterator
from typing import Any

from lxml import etree

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
MESSAGES = "http://schemas.microsoft.com/exchange/services/2006/messages"
TYPES = "http://schemas.microsoft.com/exchange/services/2006/types"
ERRORS = "http://schemas.microsoft.com/exchange/services/2006/errors"
NAMES = {"s": SOAP, "m": MESSAGES, "t": TYPES}

Xml = Any  # an lxml element


def t(name: str, *inside: Xml | str, **attributes: str) -> Xml:
    return _made(TYPES, name, inside, attributes)


def m(name: str, *inside: Xml | str, **attributes: str) -> Xml:
    return _made(MESSAGES, name, inside, attributes)


def _made(space: str, name: str, inside: tuple[Xml | str, ...], attributes: dict[str, str]) -> Xml:
    made = etree.Element(f"{{{space}}}{name}", attributes, NAMES)
    for one in inside:
        if isinstance(one, str):
            made.text = one
        else:
            made.append(one)
    return made


def name_of(element: Xml) -> str:
    return str(etree.QName(element).localname)


def first(element: Xml, path: str) -> Xml:
    """Return what a path such as ``m:ItemShape/t:BaseShape`` finds, else None."""
    return element.find(path, NAMES)


def every(element: Xml, path: str) -> Iterator[Xml]:
    yield from element.iterfind(path, NAMES)


def words(element: Xml, path: str) -> str:
    found = first(element, path)
    return "" if found is None else (found.text or "")


def envelope(body: Xml, build: str) -> bytes:
    major, minor, major_build, minor_build = build.split(".")
    told = t(
        "ServerVersionInfo",
        MajorVersion=major,
        MinorVersion=minor,
        MajorBuildNumber=major_build,
        MinorBuildNumber=minor_build,
        Version="Exchange2016",
    )
    root = etree.Element(f"{{{SOAP}}}Envelope", {}, NAMES)
    etree.SubElement(root, f"{{{SOAP}}}Header").append(told)
    etree.SubElement(root, f"{{{SOAP}}}Body").append(body)
    return etree.tostring(root, xml_declaration=True, encoding="utf-8")


def fault(code: str, text: str, back_off: int | None = None) -> bytes:
    """Return a SOAP fault; there ``BackOffMilliseconds`` is how long to wait."""
    xml = ""
    if back_off is not None:
        value = f'<t:Value Name="BackOffMilliseconds">{back_off}</t:Value>'
        xml = f'<t:MessageXml xmlns:t="{TYPES}">{value}</t:MessageXml>'
    return (
        f'<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="{SOAP}"><s:Body><s:Fault>'
        f'<faultcode xmlns:a="{TYPES}">a:{code}</faultcode>'
        f'<faultstring xml:lang="en-US">{text}</faultstring><detail>'
        f'<e:ResponseCode xmlns:e="{ERRORS}">{code}</e:ResponseCode>'
        f'<e:Message xmlns:e="{ERRORS}">{text}</e:Message>{xml}'
        "</detail></s:Fault></s:Body></s:Envelope>"
    ).encode()


def good(operation: str, *inside: Xml) -> Xml:
    return m(
        f"{operation}ResponseMessage",
        m("ResponseCode", "NoError"),
        *inside,
        ResponseClass="Success",
    )


def bad(operation: str, code: str, text: str = "words", *inside: Xml, kind: str = "Error") -> Xml:
    return m(
        f"{operation}ResponseMessage",
        m("MessageText", text),
        m("ResponseCode", code),
        m("DescriptiveLinkKey", "0"),
        *inside,
        ResponseClass=kind,
    )


def answer(operation: str, *messages: Xml) -> Xml:
    return m(f"{operation}Response", m("ResponseMessages", *messages))
