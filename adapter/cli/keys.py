"""`adapter keys`: the private keys of this adapter and their certificates."""

from __future__ import annotations

import typer

from adapter.cli.key_backup import backup, restore
from adapter.cli.key_certificates import export, import_certificate
from adapter.cli.key_import import EPILOG, import_p12
from adapter.cli.key_life import activate, destroy, retire, revoke
from adapter.cli.key_listing import list_keys
from adapter.cli.key_renewal import renew
from adapter.cli.key_requests import create, csr
from adapter.cli.key_rotation import rotate

app = typer.Typer(
    help="The adapter's keys: signing, agreement and TLS with certificates, record and archive without.",
    no_args_is_help=True,
)

app.command(epilog="adapter keys create --purpose signing --purpose agreement --name 2027 --suite p256")(create)
app.command("list", epilog="adapter keys list --json")(list_keys)
app.command(epilog="adapter keys csr tls --organisation 'Ministry of Justice' --host adapter.example.uz -o tls.csr")(
    csr
)
app.command("import", epilog="adapter keys import signing.pem")(import_certificate)
app.command("import-p12", epilog=EPILOG)(import_p12)
app.command(epilog="adapter keys export signing -o signing.pem")(export)
app.command(epilog="adapter keys activate signing-2027 --wait")(activate)
app.command(epilog="adapter keys rotate signing --name 2027 --organisation 'Ministry of Justice'")(rotate)
app.command(epilog="adapter keys renew")(renew)
app.command(epilog="adapter keys retire signing")(retire)
app.command(epilog="adapter keys revoke signing --reason key-compromise")(revoke)
app.command(epilog="adapter keys destroy signing")(destroy)
app.command(epilog="adapter keys backup keys-2027.sealed --by dilnoza --by bek --by olim")(backup)
app.command(epilog="adapter keys restore keys-2027.sealed --by dilnoza --by olim")(restore)
