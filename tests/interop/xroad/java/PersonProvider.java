import com.xroad.producer.Gender;
import com.xroad.producer.GetPerson;
import com.xroad.producer.GetPersonResponse;
import com.xroad.producer.Person;
import com.xroad.producer.PortTypeName;
import eu.x_road.xsd.identifiers.XRoadClientIdentifierType;
import eu.x_road.xsd.identifiers.XRoadServiceIdentifierType;
import jakarta.activation.DataHandler;
import jakarta.jws.WebService;
import jakarta.mail.util.ByteArrayDataSource;
import jakarta.xml.soap.SOAPException;
import jakarta.xml.soap.SOAPFactory;
import jakarta.xml.soap.SOAPFault;
import jakarta.xml.ws.Endpoint;
import jakarta.xml.ws.Holder;
import jakarta.xml.ws.soap.SOAPFaultException;
import java.nio.charset.StandardCharsets;
import javax.xml.datatype.DatatypeFactory;

/** A provider made from the Tunduk demo adapter's WSDL. Argument: the URL to listen at. */
@WebService(endpointInterface = "com.xroad.producer.PortTypeName", serviceName = "ServiceName",
    portName = "PortName", targetNamespace = "http://producer.xroad.com")
public final class PersonProvider implements PortTypeName {
    public static void main(String[] arguments) {
        Endpoint.publish(arguments[0], new PersonProvider());
        Ends.say("ready", arguments[0]);
    }

    @Override
    public GetPersonResponse getPerson(GetPerson asked, Holder<XRoadClientIdentifierType> client, Holder<String> id,
            Holder<String> issue, Holder<String> version, Holder<XRoadServiceIdentifierType> service,
            Holder<String> userId) {
        Ends.say("asked", String.join(" ", Ends.codes(client.value), Ends.codes(service.value), id.value,
            userId.value, String.valueOf(issue.value), version.value));
        if (asked.getRequest().endsWith("0")) {
            throw noSuchPerson();
        }
        Person person = new Person();
        person.setPin(asked.getRequest());
        person.setName("Асанова Айгүл");
        person.setBirthDate(DatatypeFactory.newDefaultInstance().newXMLGregorianCalendar("1990-01-01T00:00:00"));
        person.setGender(Gender.FEMALE);
        byte[] photo = "сүрөт".getBytes(StandardCharsets.UTF_8);
        person.setPhoto(new DataHandler(new ByteArrayDataSource(photo, "application/octet-stream")));
        GetPersonResponse answer = new GetPersonResponse();
        answer.setRequest(asked.getRequest());
        answer.setResponse(person);
        return answer;
    }

    private static SOAPFaultException noSuchPerson() {
        try {
            SOAPFault fault = SOAPFactory.newInstance().createFault();
            fault.setFaultCode(new javax.xml.namespace.QName("Server.Register.NoSuchPerson"));
            fault.setFaultString("Мындай адам жок");
            return new SOAPFaultException(fault);
        } catch (SOAPException broken) {
            throw new IllegalStateException(broken);
        }
    }
}
