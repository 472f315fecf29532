#!/usr/bin/perl
# A system in Perl that sends a file as SOAP with Attachments and gets one back.
#
#     perl documents.pl WSDL-ADDRESS FILE

use strict;
use warnings;
use utf8;
use Digest::SHA 'sha256_hex';
use MIME::Entity;
use SOAP::Lite;

my ($wsdl, $file) = @ARGV;
(my $address = $wsdl) =~ s/\?.*//;

# begin of the recipe
my $soap = SOAP::Lite->proxy($address)->on_action(sub { '"urn:Put"' });
$soap->autotype(0)->readable(0)->encodingStyle('');
$soap->ns('urn:example:documents:1', 'd');
$soap->on_fault(sub { $_[1] });
$soap->parts([MIME::Entity->build(
    Path => $file, Type => 'application/pdf', Encoding => 'base64', Id => '<file@client>',    # binary comes out broken
)]);
# Beside a part SOAP::Lite cannot send letters beyond ASCII, so they are written as character references.
(my $title = 'Справка') =~ s/([^ -~])/'&#' . ord($1) . ';'/ge;
my $answer = $soap->call('d:Put',
    SOAP::Data->type(xml => "<d:Title>$title</d:Title>"),
    SOAP::Data->name('d:File' => 'cid:file@client'),    # the part is named where the service expects it
);
die ref $answer ? $answer->faultstring : $soap->transport->status, "\n" if !ref $answer || $answer->fault;
my ($part) = @{ $answer->parts };
print 'received: ', sha256_hex($part->bodyhandle->as_string), "\n";
# end of the recipe
