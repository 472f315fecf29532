package peer;

import java.io.OutputStream;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import javax.xml.namespace.QName;
import javax.xml.transform.OutputKeys;
import javax.xml.transform.Source;
import javax.xml.transform.Transformer;
import javax.xml.transform.TransformerFactory;
import javax.xml.transform.stream.StreamResult;
import jakarta.xml.ws.BindingProvider;
import jakarta.xml.ws.Dispatch;
import jakarta.xml.ws.Service;
import jakarta.xml.ws.handler.MessageContext;
import org.apache.cxf.configuration.jsse.TLSClientParameters;
import org.apache.cxf.endpoint.Client;
import org.apache.cxf.headers.Header;
import org.apache.cxf.helpers.CastUtils;
import org.apache.cxf.jaxws.DispatchImpl;
import org.apache.cxf.transport.http.HTTPConduit;

/** A consumer: calls an adapter by the policy of its peer WSDL. */
final class Caller {
    private Caller() {
    }

    /** Send the payload and write the payload of the reply to the file that the settings name. */
    static void call(Peer.Settings settings) throws Exception {
        // begin of the recipe
        Service service = Service.create(URI.create(settings.get("wsdl")).toURL(),
            QName.valueOf(settings.get("wsdl.service")));
        Dispatch<Source> dispatch = service.createDispatch(QName.valueOf(settings.get("wsdl.port")), Source.class,
            Service.Mode.PAYLOAD);
        dispatch.getRequestContext().putAll(Security.settings(settings));
        dispatch.getRequestContext().put(BindingProvider.ENDPOINT_ADDRESS_PROPERTY, settings.get("address"));
        // The policy says by operation which parts are signed and encrypted; without this, CXF knows of none.
        dispatch.getRequestContext().put("find.dispatch.operation", true);
        // A refusal comes as a SOAP fault with HTTP status 400, as SOAP 1.2 has it (Part 2, 7.5.1).
        dispatch.getRequestContext().put("org.apache.cxf.transport.process_fault_on_http_400", true);
        dispatch.getRequestContext().put(Header.HEADER_LIST,
            new ArrayList<>(List.of(Envelope.request(settings), Envelope.personalData(settings))));
        Client client = ((DispatchImpl<?>) dispatch).getClient();
        client.getInInterceptors().add(new Understood());
        settings.file("attached").ifPresent(file -> client.getOutInterceptors().add(new Attached(file)));
        TLSClientParameters tls = new TLSClientParameters();
        Security.useTls(tls, settings);
        ((HTTPConduit) client.getConduit()).setTlsClientParameters(tls);
        Source reply = dispatch.invoke(settings.payload());
        // end of the recipe
        Attached.keep(CastUtils.cast((Map<?, ?>) dispatch.getResponseContext()
            .get(MessageContext.INBOUND_MESSAGE_ATTACHMENTS)), CastUtils.cast((List<?>) dispatch.getResponseContext()
            .get(Header.HEADER_LIST)), settings.get("reply"));
        Transformer copy = TransformerFactory.newInstance().newTransformer();
        copy.setOutputProperty(OutputKeys.OMIT_XML_DECLARATION, "yes");
        try (OutputStream file = Files.newOutputStream(Path.of(settings.get("reply")))) {
            copy.transform(reply, new StreamResult(file));
        }
    }
}
