#!/usr/bin/perl
# A system in Perl that asks its own adapter for a person.
#
#     perl client.pl WSDL-ADDRESS PINFL

use strict;
use warnings;
use open qw(:std :encoding(UTF-8));
use SOAP::Lite;
use Time::Piece;

my ($wsdl, $pinfl) = @ARGV;
(my $address = $wsdl) =~ s/\?.*//;

# begin of the recipe
my $service = 'urn:example:population-register:1';
my $context = 'urn:interagency-adapter:client:1';

# SOAP::Lite speaks rpc/encoded unless it is told otherwise: no types, no encodingStyle, names in the namespace of the
# service. It reads no document/literal WSDL, so the address is that of the WSDL without "?wsdl".
my $soap = SOAP::Lite->proxy($address)->on_action(sub { '"urn:example:population-register:1/GetPerson"' });
$soap->autotype(0)->readable(0)->encodingStyle('');
$soap->ns($service, 'p');
$soap->on_fault(sub { $_[1] });    # a fault is an answer to read, not a reason to die

# Who asks, why, on which legal basis, about whom: the header RequestContext.
sub c { SOAP::Data->name("c:$_[0]" => $_[1])->attr($_[2] // {}) }
my $header = SOAP::Header->name('c:RequestContext' => \SOAP::Data->value(
    c('Official', 'inspector-17'),
    c('Purpose', 'social-benefit'),
    c('LegalBasis', 'Law No. 395 of 2015, article 12', { kind => 'law' }),
    c('Subject', $pinfl, { kind => 'pinfl' }),
))->attr({ 'xmlns:c' => $context });

my $answer = $soap->call('p:GetPerson', SOAP::Data->name('p:Pinfl' => $pinfl), $header);
die $soap->transport->status, "\n" unless ref $answer;    # nobody there
if ($answer->fault) {
    my $told = $answer->faultdetail->{Fault};
    print "code: $told->{Code}\nretry: $told->{Retry}\nincident: $told->{Incident}\n";
    print 'text: ', $answer->faultstring, "\n";
    exit 1;
}
my $person = $answer->valueof('//Person');
print "surname: $person->{NameCyrillic}{Surname}\n";
print 'born: ', Time::Piece->strptime($person->{BirthDate}, '%Y-%m-%d')->ymd, "\n";
# end of the recipe
