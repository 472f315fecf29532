import eu.x_road.metadata.MetaServicesPort;
import eu.x_road.metadata.ProducerPortService;
import eu.x_road.xsd.identifiers.XRoadClientIdentifierType;
import eu.x_road.xsd.identifiers.XRoadServiceIdentifierType;
import eu.x_road.xsd.xroad.AllowedMethods;
import eu.x_road.xsd.xroad.GetWsdl;
import eu.x_road.xsd.xroad.GetWsdlResponse;
import eu.x_road.xsd.xroad.ListMethods;
import jakarta.xml.ws.BindingProvider;
import jakarta.xml.ws.Holder;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * A client made from the WSDL of the metaservices. Arguments: its WSDL, URL, client, service; for getWsdl the code, the
 * version and the file to write the description to.
 */
public final class MetaClient {
    private static final Holder<String> USER = new Holder<>("UZ12345");
    private static final Holder<String> ID = new Holder<>("411d6755661409fed365ad8135f8210be07613da");
    private static final Holder<String> VERSION = new Holder<>("4.0");

    private MetaClient() {
    }

    public static void main(String[] arguments) throws IOException {
        MetaServicesPort port =
            new ProducerPortService(URI.create(arguments[0]).toURL()).getMetaServicesPortSoap11();
        ((BindingProvider) port).getRequestContext().put(BindingProvider.ENDPOINT_ADDRESS_PROPERTY, arguments[1]);
        Holder<XRoadClientIdentifierType> client = new Holder<>(Ends.client(arguments[2]));
        Holder<XRoadServiceIdentifierType> service = new Holder<>(Ends.service(arguments[3]));
        Ends.run(() -> {
            switch (service.value.getServiceCode()) {
                case "listMethods":
                    say(port.listMethods(new ListMethods(), client, service, USER, ID, VERSION).getService());
                    break;
                case "allowedMethods":
                    say(port.allowedMethods(new AllowedMethods(), client, service, USER, ID, VERSION).getService());
                    break;
                default:
                    wsdl(port, client, service, arguments);
            }
        });
    }

    private static void say(List<XRoadServiceIdentifierType> services) {
        StringBuilder all = new StringBuilder();
        for (XRoadServiceIdentifierType one : services) {
            all.append(Ends.codes(one)).append(' ');
        }
        Ends.say("services", all.toString().trim());
    }

    private static void wsdl(MetaServicesPort port, Holder<XRoadClientIdentifierType> client,
            Holder<XRoadServiceIdentifierType> service, String[] arguments) {
        GetWsdl asked = new GetWsdl();
        asked.setServiceCode(arguments[4]);
        asked.setServiceVersion(arguments[5]);
        Holder<GetWsdlResponse> answer = new Holder<>();
        Holder<byte[]> attached = new Holder<>();
        port.getWsdl(asked, client, service, USER, ID, VERSION, answer, attached);
        Ends.say("service", answer.value.getServiceCode() + "/" + answer.value.getServiceVersion());
        try {
            Files.write(Path.of(arguments[6]), attached.value);
        } catch (IOException broken) {
            throw new java.io.UncheckedIOException(broken);
        }
        Ends.say("octets", attached.value.length);
    }
}
