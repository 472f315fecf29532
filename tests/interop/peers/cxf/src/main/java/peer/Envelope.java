package peer;

import java.io.StringReader;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.UUID;
import javax.xml.namespace.QName;
import javax.xml.parsers.DocumentBuilderFactory;
import org.apache.cxf.binding.soap.SoapHeader;
import org.apache.cxf.headers.Header;
import org.w3c.dom.Element;
import org.xml.sax.InputSource;

/** The header blocks of xsd/envelope.xsd. Their wsu:Id comes from WSS4J when it signs them. */
final class Envelope {
    static final String NAMESPACE = "urn:interagency-adapter:envelope:1";
    static final QName EXCHANGE = new QName(NAMESPACE, "Exchange");
    static final QName PERSONAL_DATA = new QName(NAMESPACE, "PersonalData");
    static final QName ATTACHMENTS = new QName(NAMESPACE, "Attachments");

    private Envelope() {
    }

    /** Who asks whom for what. */
    static Header request(Peer.Settings settings) throws Exception {
        Instant now = Instant.now().truncatedTo(ChronoUnit.MILLIS);
        return header("Exchange",
            field("MessageId", "urn:uuid:" + UUID.randomUUID())
            + field("Consumer", settings.get("consumer"))
            + field("Service", settings.get("service"))
            + field("Operation", settings.get("operation"))
            + field("Official", settings.get("official"))
            + field("Sent", now.toString())
            + field("ReplyBy", now.plusSeconds(30).toString()));
    }

    /** About whom, why, on which legal basis. */
    static Header personalData(Peer.Settings settings) throws Exception {
        return header("PersonalData",
            field("Purpose", settings.get("purpose"))
            + "<ia:Subject kind='pinfl'>" + settings.get("pinfl") + "</ia:Subject>"
            + "<ia:LegalBasis kind='law'>" + settings.get("basis") + "</ia:LegalBasis>");
    }

    /** The Exchange block of the reply to a request. */
    static Header reply(Element request, long recordNumber) throws Exception {
        return header("Exchange",
            field("MessageId", "urn:uuid:" + UUID.randomUUID())
            + field("InReplyTo", text(request, "MessageId"))
            + field("Consumer", text(request, "Consumer"))
            + field("Service", text(request, "Service"))
            + field("Operation", text(request, "Operation"))
            + field("Official", text(request, "Official"))
            + field("Sent", Instant.now().truncatedTo(ChronoUnit.MILLIS).toString())
            + field("ReplyBy", text(request, "ReplyBy"))
            + field("RecordNumber", Long.toString(recordNumber)));
    }

    /** What the one attachment of a message is. size: octets. */
    static Header attachment(String contentId, String mediaType, long size) throws Exception {
        return header("Attachments", "<ia:Attachment id='" + contentId + "' mediaType='" + mediaType
            + "' size='" + size + "'/>");
    }

    /** The Exchange block among the headers of a message that WSS4J has verified. */
    static Element exchange(List<Header> headers) {
        return block(headers, EXCHANGE);
    }

    /** One block among these. */
    static Element block(List<Header> headers, QName name) {
        return headers.stream().filter(header -> name.equals(header.getName()))
            .map(header -> (Element) header.getObject()).findFirst().orElseThrow();
    }

    static String text(Element block, String field) {
        return block.getElementsByTagNameNS(NAMESPACE, field).item(0).getTextContent();
    }

    private static String field(String name, String value) {
        return "<ia:" + name + ">" + value + "</ia:" + name + ">";
    }

    private static Header header(String name, String content) throws Exception {
        DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
        factory.setNamespaceAware(true);
        String xml = "<ia:" + name + " xmlns:ia='" + NAMESPACE + "'>" + content + "</ia:" + name + ">";
        Element block = factory.newDocumentBuilder().parse(new InputSource(new StringReader(xml))).getDocumentElement();
        SoapHeader header = new SoapHeader(new QName(NAMESPACE, name), block);
        header.setMustUnderstand(true);
        return header;
    }
}
