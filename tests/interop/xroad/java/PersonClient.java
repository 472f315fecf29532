import com.xroad.producer.GetPerson;
import com.xroad.producer.GetPersonResponse;
import com.xroad.producer.Person;
import com.xroad.producer.PortTypeName;
import eu.x_road.xsd.identifiers.XRoadClientIdentifierType;
import eu.x_road.xsd.identifiers.XRoadServiceIdentifierType;
import jakarta.xml.ws.Holder;

/** A consumer made from the Tunduk demo adapter's WSDL. Arguments: URL, client, service, id, userId, issue, PIN. */
public final class PersonClient {
    private PersonClient() {
    }

    public static void main(String[] arguments) {
        PortTypeName port = Ends.port(PortTypeName.class, arguments[0]);
        Holder<XRoadClientIdentifierType> client = new Holder<>(Ends.client(arguments[1]));
        Holder<XRoadServiceIdentifierType> service = new Holder<>(Ends.service(arguments[2]));
        Holder<String> id = new Holder<>(arguments[3]);
        Holder<String> userId = new Holder<>(arguments[4]);
        Holder<String> issue = new Holder<>(arguments[5]);
        Holder<String> version = new Holder<>("4.0");
        GetPerson asked = new GetPerson();
        asked.setRequest(arguments[6]);
        Ends.run(() -> {
            GetPersonResponse answer = port.getPerson(asked, client, id, issue, version, service, userId);
            Person person = answer.getResponse();
            Ends.say("pin", person.getPin());
            Ends.say("name", person.getName());
            Ends.say("born", person.getBirthDate());
            Ends.say("gender", person.getGender());
            Ends.say("photo", octetsOf(person));
            Ends.say("echo", String.join(" ", Ends.codes(client.value), Ends.codes(service.value), id.value,
                userId.value, issue.value, version.value));
        });
    }

    private static int octetsOf(Person person) {
        try {
            return person.getPhoto().getInputStream().readAllBytes().length;
        } catch (java.io.IOException broken) {
            throw new java.io.UncheckedIOException(broken);
        }
    }
}
