// A system in JavaScript that sends a file as MTOM and gets one back, with the package `soap`.
//
//     node documents.mjs WSDL-ADDRESS FILE

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import soap from 'soap';

const [wsdl, file] = process.argv.slice(2);

// begin of the recipe
const client = await soap.createClientAsync(wsdl, { parseResponseAttachments: true });
const included = {
  'xop:Include': {
    attributes: { 'xmlns:xop': 'http://www.w3.org/2004/08/xop/include', href: 'cid:file@client' },
  },
};
const part = { contentId: 'file@client', mimetype: 'application/pdf', name: 'file.pdf', body: readFileSync(file) };
await client.PutAsync({ Title: 'Справка', Content: included }, { attachments: [part], forceMTOM: true });
const [came] = client.lastResponseAttachments.parts;
console.log(`received: ${createHash('sha256').update(came.body).digest('hex')}`);
// end of the recipe
