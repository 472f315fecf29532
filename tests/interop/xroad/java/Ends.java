import eu.x_road.xsd.identifiers.XRoadClientIdentifierType;
import eu.x_road.xsd.identifiers.XRoadIdentifierType;
import eu.x_road.xsd.identifiers.XRoadObjectType;
import eu.x_road.xsd.identifiers.XRoadServiceIdentifierType;
import jakarta.xml.ws.soap.SOAPFaultException;
import org.apache.cxf.jaxws.JaxWsProxyFactoryBean;

/** What all clients and providers here have in common: identifiers as `a/b/c/...`, and what a fault says. */
final class Ends {
    private Ends() {
    }

    static XRoadClientIdentifierType client(String codes) {
        String[] parts = codes.split("/");
        XRoadClientIdentifierType client = new XRoadClientIdentifierType();
        client.setObjectType(XRoadObjectType.SUBSYSTEM);
        client.setXRoadInstance(parts[0]);
        client.setMemberClass(parts[1]);
        client.setMemberCode(parts[2]);
        client.setSubsystemCode(parts[3]);
        return client;
    }

    /** Without a version when the codes end with the service. */
    static XRoadServiceIdentifierType service(String codes) {
        String[] parts = codes.split("/");
        XRoadServiceIdentifierType service = new XRoadServiceIdentifierType();
        service.setObjectType(XRoadObjectType.SERVICE);
        service.setXRoadInstance(parts[0]);
        service.setMemberClass(parts[1]);
        service.setMemberCode(parts[2]);
        service.setSubsystemCode(parts[3]);
        service.setServiceCode(parts[4]);
        if (parts.length > 5) {
            service.setServiceVersion(parts[5]);
        }
        return service;
    }

    static String codes(XRoadIdentifierType id) {
        StringBuilder found = new StringBuilder(id.getXRoadInstance());
        String[] more = {
            id.getMemberClass(), id.getMemberCode(), id.getSubsystemCode(), id.getServiceCode(), id.getServiceVersion(),
        };
        for (String code : more) {
            if (code != null) {
                found.append('/').append(code);
            }
        }
        return found.toString();
    }

    static <T> T port(Class<T> kind, String url) {
        JaxWsProxyFactoryBean factory = new JaxWsProxyFactoryBean();
        factory.setServiceClass(kind);
        factory.setAddress(url);
        return factory.create(kind);
    }

    static void say(String name, Object value) {
        System.out.println(name + ": " + value);
        System.out.flush();
    }

    /** Runs a call; a SOAP fault is printed and ends the program with 1. */
    static void run(Runnable call) {
        try {
            call.run();
        } catch (SOAPFaultException fault) {
            say("code", fault.getFault().getFaultCode());
            say("text", fault.getFault().getFaultString());
            say("incident", fault.getFault().getDetail().getFirstChild().getTextContent());
            System.exit(1);
        }
    }
}
