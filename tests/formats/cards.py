"""Cards as several writers write them, by their formats' documentation; none by the product."""

APPLE = r"""BEGIN:VCARD
VERSION:3.0
PRODID:-//Apple Inc.//iOS 17.0//EN
N:Bishop;Walter;Harold;Dr.;
FN:Dr. Walter Harold Bishop
ORG:Harvard\, Lab;Physics;Basement
TITLE:Research Scientist
EMAIL;type=INTERNET;type=HOME;type=pref:walter@example.org
item1.EMAIL;type=INTERNET:lab@example.org
item1.X-ABLabel:Laboratory
TEL;type=CELL;type=VOICE:+1 555 0100
TEL;type=HOME;type=FAX:+1 555 0101
TEL;type=MAIN:+1 555 0102
item2.ADR;type=HOME:;;2054 University Ave\nFloor 2;Berkeley;CA;94704;United States
item2.X-ABADR:us
item3.URL:https\://example.org/walter
item3.X-ABLabel:_$!<HomePage>!$_
BDAY;X-APPLE-OMIT-YEAR=1604:1604-08-20
item4.X-ABRELATEDNAMES:Peter Bishop
item4.X-ABLabel:_$!<Child>!$_
item5.X-ABRELATEDNAMES:Elizabeth
item5.X-ABLabel:_$!<Spouse>!$_
NOTE:Likes liquorice\, strawberry milk
PHOTO;ENCODING=b;TYPE=JPEG:/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAgGBgcGBQgHBwcJCQgKDBQNDAsL
 DBkSEw8UHRofHh0aHBwgJC4nICIsIxwcKDcpLDAxNDQ0Hyc5PTgyPC4zNDL/2wBDAQkJ
REV:2026-11-07T08:55:17Z
UID:A1B2
END:VCARD
"""
VERSION_4 = r"""BEGIN:VCARD
VERSION:4.0
UID:urn:uuid:4fbe8971-0bc3-424c-9c26-36c3e1eff6b1
FN;PID=1.1:Jöran Doe
N:Doe;Jöran,Karl;;;
KIND:individual
GENDER:M;boy
BDAY:--0203
EMAIL;TYPE=home;PREF=50:home@example.org
EMAIL;PREF=1;TYPE="work,x-office":work@example.org
TEL;VALUE=uri;PREF=1;TYPE="voice,home":tel:+1-555-555-5555;ext=5555
TEL;VALUE=uri;TYPE="cell":tel:+1-555-0199
ADR;TYPE=work;LABEL="Mr. Doe\nSuite D2-630":;;Suite D2-630,2875 Laurier;Quebec;QC;G1V 2M2;Canada
ORG;TYPE=work:Viagenie;North
ROLE:Owner
RELATED;TYPE=spouse;VALUE=text:Mina
RELATED;TYPE=friend:urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6
RELATED;TYPE=child:urn:uuid:03a0e51f-d1aa-4385-8a53-e29025acd8af
URL:https://example.org/
URL;TYPE=home:https://example.org/
CREATED:20220705T093412Z
REV:20261107T085517.123Z
END:VCARD
"""
ANDROID_21 = (
    "BEGIN:VCARD\r\nVERSION:2.1\r\n"
    "N;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=C3=9Cmit;Ay=C5=9Fe;;;\r\n"
    "FN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:Ay=C5=9Fe =\r\n=C3=9Cmit\r\n"
    "TEL;CELL;PREF:+90 555 1\r\nTEL;WORK;FAX:+90 555 2\r\nEMAIL;HOME:ayse@example.org\r\n"
    "ADR;HOME;ENCODING=QUOTED-PRINTABLE:;;Main St=3B 5;Town;;;\r\n"
    "PHOTO;ENCODING=BASE64;JPEG:/9j/4AAQSkZJRgAB\r\n AQAAAQABAAD\r\n\r\n"
    "END:VCARD\r\n"
)
OUTLOOK_21 = (
    "BEGIN:VCARD\r\nVERSION:2.1\r\nN;LANGUAGE=de;CHARSET=Windows-1252:Müller;Jürgen\r\n"
    "FN;CHARSET=Windows-1252:Jürgen Müller\r\nORG:Büro;Einkauf\r\nTITLE:Leiter\r\n"
    "TEL;WORK;VOICE:030 1\r\nBDAY:19700131\r\nX-MS-OL-DESIGN;CHARSET=utf-8:<card/>\r\n"
    "REV:20261107T085517Z\r\nEND:VCARD\r\n"
).encode("cp1252")
EVOLUTION = """BEGIN:VCARD
VERSION:3.0
UID:pas-id-1
FN:Ada Lovelace
N:Lovelace;Ada;;;
X-EVOLUTION-FILE-AS:Lovelace\\, Ada
X-EVOLUTION-SPOUSE:William
EMAIL;TYPE=WORK;X-EVOLUTION-UI-SLOT=1:ada@example.org
TEL;X-EVOLUTION-E164=1;TYPE=WORK,VOICE;X-EVOLUTION-UI-SLOT=1:1
X-GENDER:Female
BDAY:1815-12-10
END:VCARD
"""
GROUP_3 = """BEGIN:VCARD
VERSION:3.0
PRODID:-//Apple Inc.//Mac OS X 10.15//EN
N:Family
FN:Family
X-ADDRESSBOOKSERVER-KIND:group
X-ADDRESSBOOKSERVER-MEMBER:urn:uuid:A1B2
UID:G1
END:VCARD
"""
GROUP_4 = GROUP_3.replace("3.0", "4.0").replace("X-ADDRESSBOOKSERVER-KIND", "KIND")
COMPANY = """BEGIN:VCARD
VERSION:3.0
N:;;;;
FN:
ORG:Acme;
X-ABShowAs:COMPANY
EMAIL:info@example.org
END:VCARD
"""


def crlf(text: str) -> bytes:
    return text.replace("\r\n", "\n").replace("\n", "\r\n").encode()
