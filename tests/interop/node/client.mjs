// A system in JavaScript that asks its own adapter for a person, with the package `soap`.
//
//     node client.mjs [--token TOKEN] [--user NAME --password WORD] [--ca FILE] [--certificate FILE --key FILE]
//         WSDL-ADDRESS PINFL

import { readFileSync } from 'node:fs';
import https from 'node:https';
import { parseArgs } from 'node:util';
import axios from 'axios';
import soap from 'soap';

const names = ['token', 'user', 'password', 'ca', 'certificate', 'key'];
const options = Object.fromEntries(names.map((name) => [name, { type: 'string' }]));
const { values: given, positionals: [wsdl, pinfl] } = parseArgs({ options, allowPositionals: true });

// begin of the recipe
// How the adapter knows this system, whichever its settings say. One HTTP client reads the WSDL and calls.
const read = (file) => (file ? readFileSync(file) : undefined);
const agent = new https.Agent({ ca: read(given.ca), cert: read(given.certificate), key: read(given.key) });
const request = axios.create({
  httpsAgent: agent,
  headers: given.token ? { Authorization: `Bearer ${given.token}` } : {},
  auth: given.user ? { username: given.user, password: given.password } : undefined,
});
const client = await soap.createClientAsync(wsdl, { request });

// Who asks, why, on which legal basis, about whom: the header RequestContext.
client.addSoapHeader({
  RequestContext: {
    Official: 'inspector-17',
    Purpose: 'social-benefit',
    LegalBasis: { attributes: { kind: 'law' }, $value: 'Law No. 395 of 2015, article 12' },
    Subject: { attributes: { kind: 'pinfl' }, $value: pinfl },
  },
}, '', 'c', 'urn:interagency-adapter:client:1');

try {
  const [answer] = await client.GetPersonAsync({ Pinfl: pinfl });
  const { NameCyrillic, BirthDate } = answer.Person; // BirthDate is a Date: midnight, Greenwich time
  console.log(`surname: ${NameCyrillic.Surname}`);
  console.log(`born: ${BirthDate.toISOString().slice(0, 10)}`);
} catch (error) {
  const fault = error.root?.Envelope.Body.Fault;
  if (!fault) throw error; // nobody there
  const { Code, Retry, Incident } = fault.detail.Fault;
  console.log(`code: ${Code}\nretry: ${Retry}\nincident: ${Incident}`);
  console.log(`text: ${fault.faultstring}`);
  process.exitCode = 1;
}
// end of the recipe
