"""A system in Python that sends a file and gets one back, as base64 in the XML, with zeep.

python documents.py WSDL-ADDRESS FILE
"""

import hashlib
import sys
from pathlib import Path

import zeep

wsdl, file = sys.argv[1:]

# begin of the recipe
answer = zeep.Client(wsdl).service.Put(Title="Справка", Content=Path(file).read_bytes())
print(f"received: {hashlib.sha256(answer.Content).hexdigest()}")
# end of the recipe
