"""A system in Python that asks its own adapter for a person, with zeep.

python client.py WSDL-ADDRESS PINFL
"""

import sys

import zeep
import zeep.exceptions
from lxml import etree

wsdl, pinfl = sys.argv[1:]

# begin of the recipe
client = zeep.Client(wsdl)
fault_of_adapter = "{urn:interagency-adapter:fault:1}"

# Who asks, why, on which legal basis, about whom: the header RequestContext, which the WSDL declares.
context = {
    "Official": "inspector-17",
    "Purpose": "social-benefit",
    "LegalBasis": {"kind": "law", "_value_1": "Law No. 395 of 2015, article 12"},
    "Subject": [{"kind": "pinfl", "_value_1": pinfl}],
}
try:
    person = client.service.GetPerson(pinfl, _soapheaders={"requestContext": context})
    print(f"surname: {person.NameCyrillic.Surname}")
    print(f"born: {person.BirthDate.isoformat()}")
except zeep.exceptions.Fault as fault:
    told: etree._Element = fault.detail.find(f"{fault_of_adapter}Fault")
    for name in ("Code", "Retry", "Incident"):
        print(f"{name.lower()}: {told.findtext(fault_of_adapter + name)}")
    print(f"text: {fault.message}")
    sys.exit(1)
# end of the recipe
