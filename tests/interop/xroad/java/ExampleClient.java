import eu.x_road.xsd.identifiers.XRoadClientIdentifierType;
import eu.x_road.xsd.identifiers.XRoadServiceIdentifierType;
import global.x_road.test.producer.TestServicePortType;
import jakarta.xml.ws.Holder;

/** A consumer made from what getWsdl gave for the XRd4J example adapter. Arguments: URL, client, service, id, name. */
public final class ExampleClient {
    private ExampleClient() {
    }

    public static void main(String[] arguments) {
        TestServicePortType port = Ends.port(TestServicePortType.class, arguments[0]);
        Holder<XRoadClientIdentifierType> client = new Holder<>(Ends.client(arguments[1]));
        Holder<XRoadServiceIdentifierType> service = new Holder<>(Ends.service(arguments[2]));
        Holder<String> id = new Holder<>(arguments[3]);
        Holder<String> userId = new Holder<>("UZ12345");
        Holder<String> issue = new Holder<>("17");
        Holder<String> version = new Holder<>("4.0");
        Ends.run(() -> Ends.say("message",
            port.helloService(arguments[4], client, service, userId, id, issue, version)));
    }
}
