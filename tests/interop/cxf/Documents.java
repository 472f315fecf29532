// A system in Java that sends a file as MTOM and gets one back, with JAX-WS and Apache CXF.
//
//     java Documents WSDL-ADDRESS FILE

import archive.DocumentsService;
import jakarta.xml.ws.BindingProvider;
import jakarta.xml.ws.Holder;
import jakarta.xml.ws.soap.SOAPBinding;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;

public final class Documents {
    public static void main(String[] arguments) throws Exception {
        // begin of the recipe
        archive.Documents documents = new DocumentsService(URI.create(arguments[0]).toURL()).getDocumentsSoap();
        ((SOAPBinding) ((BindingProvider) documents).getBinding()).setMTOMEnabled(true);
        Holder<byte[]> content = new Holder<>(Files.readAllBytes(Path.of(arguments[1])));
        documents.put("Справка", content, new Holder<>(), new Holder<>(), new Holder<>());
        // end of the recipe
        byte[] digest = MessageDigest.getInstance("SHA-256").digest(content.value);
        System.out.println("received: " + HexFormat.of().formatHex(digest));
    }
}
