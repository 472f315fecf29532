package peer;

import java.util.Set;
import javax.xml.namespace.QName;
import org.apache.cxf.binding.soap.SoapMessage;
import org.apache.cxf.binding.soap.interceptor.AbstractSoapInterceptor;
import org.apache.cxf.phase.Phase;

/** Tells CXF that the envelope's header blocks, which are marked mustUnderstand, are understood here. */
final class Understood extends AbstractSoapInterceptor {
    Understood() {
        super(Phase.PRE_PROTOCOL);
    }

    @Override
    public Set<QName> getUnderstoodHeaders() {
        return Set.of(Envelope.EXCHANGE, Envelope.PERSONAL_DATA, Envelope.ATTACHMENTS);
    }

    @Override
    public void handleMessage(SoapMessage message) {
    }
}
