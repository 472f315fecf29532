<?php
// A system in PHP that sends a file and gets one back, as base64 in the XML: the adapter turns it into MTOM or SOAP
// with Attachments for a provider that wants that, and back.
//
//     php documents.php WSDL-ADDRESS FILE

declare(strict_types=1);

[, $wsdl, $file] = $argv;

// begin of the recipe
$client = new SoapClient($wsdl, ['cache_wsdl' => WSDL_CACHE_NONE]);
$answer = $client->Put(['Title' => 'Справка', 'Content' => file_get_contents($file)]); // no base64_encode
echo 'received: ', hash('sha256', $answer->Content), "\n";
// end of the recipe
