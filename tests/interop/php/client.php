<?php
// A system in PHP that asks its own adapter for a person.
//
//     php client.php [--ca FILE] [--token TOKEN] [--user NAME --password WORD] [--certificate FILE --key FILE]
//         [--no-context] WSDL-ADDRESS PINFL

declare(strict_types=1);

$options = getopt('', ['ca:', 'token:', 'user:', 'password:', 'certificate:', 'key:', 'no-context'], $rest);
[$wsdl, $pinfl] = array_slice($argv, $rest);

// begin of the recipe
// Who asks, why, on which legal basis, about whom: the header RequestContext.
function requestContext(string $pinfl): SoapHeader
{
    $namespace = 'urn:interagency-adapter:client:1';
    $xml = "<c:RequestContext xmlns:c=\"$namespace\">"
        . '<c:Official>inspector-17</c:Official>'
        . '<c:Purpose>social-benefit</c:Purpose>'
        . '<c:LegalBasis kind="law">Law No. 395 of 2015, article 12</c:LegalBasis>'
        . '<c:Subject kind="pinfl">' . htmlspecialchars($pinfl, ENT_XML1) . '</c:Subject>'
        . '</c:RequestContext>';
    return new SoapHeader($namespace, 'RequestContext', new SoapVar($xml, XSD_ANYXML));
}

// How the adapter knows this system, whichever its settings say: a token, a password, a certificate, or nothing here
// and its address there. The same context is used to read the WSDL.
$http = isset($options['token']) ? ['header' => "Authorization: Bearer {$options['token']}"] : [];
$tls = array_filter([
    'cafile' => $options['ca'] ?? null,
    'local_cert' => $options['certificate'] ?? null,
    'local_pk' => $options['key'] ?? null,
]);
$settings = [
    'cache_wsdl' => WSDL_CACHE_NONE,
    'stream_context' => stream_context_create(['http' => $http, 'ssl' => $tls]),
];
if (isset($options['user'])) {
    $settings += ['login' => $options['user'], 'password' => $options['password']];
}
try {
    $client = new SoapClient($wsdl, $settings);
    $headers = isset($options['no-context']) ? [] : [requestContext($pinfl)];
    $person = $client->__soapCall('GetPerson', [['Pinfl' => $pinfl]], null, $headers)->Person;
    echo "surname: {$person->NameCyrillic->Surname}\n";
    echo 'born: ' . (new DateTimeImmutable($person->BirthDate))->format('Y-m-d') . "\n";
} catch (SoapFault $fault) {
    $told = $fault->detail->Fault ?? throw $fault;   // not from an adapter: nobody there, or no WSDL
    echo "code: {$told->Code}\nretry: {$told->Retry}\nincident: {$told->Incident}\n";
    echo "text: {$fault->getMessage()}\n";
    exit(1);
}
// end of the recipe
