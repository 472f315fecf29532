package peer;

import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import javax.xml.namespace.QName;
import javax.xml.transform.OutputKeys;
import javax.xml.transform.Source;
import javax.xml.transform.Transformer;
import javax.xml.transform.TransformerFactory;
import javax.xml.transform.stream.StreamResult;
import jakarta.annotation.Resource;
import jakarta.xml.ws.Provider;
import jakarta.xml.ws.Service;
import jakarta.xml.ws.ServiceMode;
import jakarta.xml.ws.WebServiceContext;
import jakarta.xml.ws.WebServiceProvider;
import jakarta.xml.ws.handler.MessageContext;
import org.apache.cxf.Bus;
import org.apache.cxf.BusFactory;
import org.apache.cxf.binding.soap.SoapMessage;
import org.apache.cxf.binding.soap.interceptor.AbstractSoapInterceptor;
import org.apache.cxf.configuration.jsse.TLSServerParameters;
import org.apache.cxf.configuration.security.ClientAuthentication;
import org.apache.cxf.headers.Header;
import org.apache.cxf.helpers.CastUtils;
import org.apache.cxf.jaxws.EndpointImpl;
import org.apache.cxf.phase.Phase;
import org.apache.cxf.transport.http_jetty.JettyHTTPServerEngineFactory;

/** A provider: serves adapters by the policy of the same WSDL, over HTTPS with client certificates. */
final class Served {
    private final EndpointImpl endpoint;
    private final int port;

    Served(Peer.Settings settings) throws Exception {
        // begin of the recipe
        Bus bus = BusFactory.getDefaultBus();
        URI address = URI.create(settings.get("address"));
        TLSServerParameters tls = new TLSServerParameters();
        Security.useTls(tls, settings);
        ClientAuthentication everyone = new ClientAuthentication();
        everyone.setWant(true);
        everyone.setRequired(true);
        tls.setClientAuthentication(everyone);
        bus.getExtension(JettyHTTPServerEngineFactory.class).setTLSServerParametersForPort(address.getPort(), tls);
        endpoint = new EndpointImpl(bus, new Register(settings));
        endpoint.setWsdlLocation(settings.get("wsdl"));
        endpoint.setServiceName(QName.valueOf(settings.get("wsdl.service")));
        endpoint.setEndpointName(QName.valueOf(settings.get("wsdl.port")));
        endpoint.setProperties(Security.settings(settings));
        endpoint.getInInterceptors().add(new Understood());
        endpoint.getOutInterceptors().add(new ReplyHeader());
        settings.file("attached").ifPresent(file -> endpoint.getOutInterceptors().add(new Attached(file)));
        endpoint.publish(settings.get("address"));
        // end of the recipe
        port = address.getPort();
    }

    void stop() {
        endpoint.stop();
        JettyHTTPServerEngineFactory.destroyForPort(port);
    }

    /** Answers every request with the same payload, and keeps the last request for whoever wants to look at it. */
    @WebServiceProvider
    @ServiceMode(Service.Mode.PAYLOAD)
    public static final class Register implements Provider<Source> {
        private final Peer.Settings settings;
        @Resource
        private WebServiceContext context;

        Register(Peer.Settings settings) {
            this.settings = settings;
        }

        @Override
        public Source invoke(Source request) {
            try {
                Transformer copy = TransformerFactory.newInstance().newTransformer();
                copy.setOutputProperty(OutputKeys.OMIT_XML_DECLARATION, "yes");
                copy.transform(request, new StreamResult(Files.newOutputStream(Path.of(settings.get("received")))));
                Attached.keep(CastUtils.cast((Map<?, ?>) context.getMessageContext()
                    .get(MessageContext.INBOUND_MESSAGE_ATTACHMENTS)), CastUtils.cast((List<?>) context
                    .getMessageContext().get(Header.HEADER_LIST)), settings.get("received"));
                return settings.payload();
            } catch (Exception failure) {
                throw new IllegalStateException(failure);
            }
        }
    }

    /** Puts the Exchange block into each reply. */
    private static final class ReplyHeader extends AbstractSoapInterceptor {
        private long record;

        ReplyHeader() {
            super(Phase.PRE_LOGICAL);
        }

        @Override
        public void handleMessage(SoapMessage reply) {
            List<Header> headers = CastUtils.cast((List<?>) ((Map<?, ?>) reply.getExchange().getInMessage())
                .get(Header.HEADER_LIST));
            try {
                reply.getHeaders().add(Envelope.reply(Envelope.exchange(headers), record++));
            } catch (Exception failure) {
                throw new IllegalStateException(failure);
            }
        }
    }
}
