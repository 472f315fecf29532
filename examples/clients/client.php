<?php
// A legacy system written with PHP's SoapClient. It knows the address of its own adapter's WSDL and nothing else.
//
//     php examples/clients/client.php 'http://127.0.0.1:8080/service/UZ/GOV/.../GetPerson/v1?wsdl' 30101900010014
//
// Needs php-cli and php-soap. The header is an ordinary SoapHeader. Exit code: 0 answered, 1 a fault, 2 nobody there.

declare(strict_types=1);

const CLIENT_NAMESPACE = 'urn:interagency-adapter:client:1';
const OPERATIONS = ['GetPerson' => 'Pinfl', 'GetParcels' => 'OwnerPinfl'];

/** The header RequestContext: who asks, why, on which legal basis, about whom. */
function requestContext(string $pinfl, array $options): SoapHeader
{
    $text = fn(string $name, string $default): string => htmlspecialchars($options[$name] ?? $default, ENT_XML1);
    $xml = '<c:RequestContext xmlns:c="' . CLIENT_NAMESPACE . '">'
        . "<c:Official>{$text('official', 'inspector-17')}</c:Official>"
        . "<c:Purpose>{$text('purpose', 'social-benefit')}</c:Purpose>"
        . "<c:LegalBasis kind=\"{$text('legal-basis-kind', 'law')}\">"
        . "{$text('legal-basis', 'Law No. 395 of 2015, article 12')}</c:LegalBasis>"
        . '<c:Subject kind="pinfl">' . htmlspecialchars($pinfl, ENT_XML1) . '</c:Subject>'
        . '</c:RequestContext>';
    return new SoapHeader(CLIENT_NAMESPACE, 'RequestContext', new SoapVar($xml, XSD_ANYXML));
}

/** Print an answer for a person to read: one line for each value. */
function show(string $name, mixed $value, string $indent = ''): void
{
    if (is_object($value)) {
        echo "$indent$name\n";
        foreach (get_object_vars($value) as $key => $inner) {
            show($key, $inner, "$indent  ");
        }
    } elseif (is_array($value)) {
        foreach ($value as $inner) {
            show($name, $inner, $indent);
        }
    } elseif ($value !== null) {
        echo "$indent$name: $value\n";
    }
}

$names = ['official:', 'purpose:', 'legal-basis-kind:', 'legal-basis:', 'no-context', 'token-file:'];
$options = getopt('', $names, $rest);
[$wsdl, $pinfl] = array_slice($argv, $rest) + [null, null];
if ($wsdl === null || $pinfl === null) {
    fwrite(STDERR, "usage: php client.php [--purpose CODE] [--no-context] [--token-file FILE] WSDL-ADDRESS PINFL\n");
    exit(2);
}

$http = ['timeout' => 60];
if (isset($options['token-file'])) {
    $http['header'] = 'Authorization: Bearer ' . trim(file_get_contents($options['token-file']));
}
try {
    $client = new SoapClient($wsdl, [
        'cache_wsdl' => WSDL_CACHE_NONE,
        'exceptions' => true,
        'stream_context' => stream_context_create(['http' => $http]),
    ]);
    $declared = implode("\n", $client->__getFunctions());
    foreach (OPERATIONS as $operation => $parameter) {
        if (str_contains($declared, " $operation(")) {
            $headers = isset($options['no-context']) ? [] : [requestContext($pinfl, $options)];
            show("{$operation}Response", $client->__soapCall($operation, [[$parameter => $pinfl]], null, $headers));
            exit(0);
        }
    }
    fwrite(STDERR, "the WSDL has none of the operations that this program knows\n");
    exit(2);
} catch (SoapFault $fault) {
    $nobodyThere = in_array($fault->faultcode, ['HTTP', 'WSDL'], true);
    fwrite(STDERR, ($nobodyThere ? 'no answer' : "fault {$fault->faultcode}") . ": {$fault->getMessage()}\n");
    exit($nobodyThere ? 2 : 1);
}
