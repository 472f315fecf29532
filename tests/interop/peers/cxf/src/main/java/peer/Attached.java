package peer;

import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import jakarta.activation.DataHandler;
import jakarta.activation.FileDataSource;
import org.apache.cxf.attachment.AttachmentImpl;
import org.apache.cxf.binding.soap.SoapMessage;
import org.apache.cxf.binding.soap.interceptor.AbstractSoapInterceptor;
import org.apache.cxf.headers.Header;
import org.apache.cxf.interceptor.AttachmentOutInterceptor;
import org.apache.cxf.phase.Phase;
import org.w3c.dom.Element;

/** Puts a file beside each message that is sent, and the header block that says what it is. */
final class Attached extends AbstractSoapInterceptor {
    private static final String CONTENT_ID = "scan@example";
    private final Path file;

    Attached(Path file) {
        super(Phase.PRE_LOGICAL);
        this.file = file;
    }

    // begin of the recipe
    @Override
    public void handleMessage(SoapMessage message) {
        AttachmentImpl scan = new AttachmentImpl(CONTENT_ID, new DataHandler(new FileDataSource(file.toFile())));
        scan.setHeader("Content-Type", "application/octet-stream"); // what it is says the block, encrypted
        message.setAttachments(new ArrayList<>(List.of(scan))); // WSS4J puts the encrypted one in its place
        message.put(AttachmentOutInterceptor.WRITE_ATTACHMENTS, true);
        try {
            message.getHeaders().add(Envelope.attachment(CONTENT_ID, "text/plain", Files.size(file)));
        } catch (Exception failure) {
            throw new IllegalStateException(failure);
        }
    }
    // end of the recipe

    /** Write what WSS4J decrypted and the block describes: beside a file, with the Content-ID behind its name. */
    static void keep(Map<String, DataHandler> attachments, List<Header> headers, String beside) throws Exception {
        if (attachments == null || attachments.isEmpty()) {
            return;
        }
        Element said = Envelope.block(headers, Envelope.ATTACHMENTS);
        for (int at = 0; at < said.getElementsByTagNameNS(Envelope.NAMESPACE, "Attachment").getLength(); at++) {
            Element one = (Element) said.getElementsByTagNameNS(Envelope.NAMESPACE, "Attachment").item(at);
            try (InputStream octets = attachments.get(one.getAttribute("id")).getInputStream()) {
                Files.copy(octets, Path.of(beside + "." + one.getAttribute("id")), StandardCopyOption.REPLACE_EXISTING);
            }
        }
    }
}
