import java.io.File;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.stream.Collectors;
import org.digidoc4j.Configuration;
import org.digidoc4j.Container;
import org.digidoc4j.ContainerOpener;
import org.digidoc4j.ContainerValidationResult;
import org.digidoc4j.Signature;
import org.digidoc4j.exceptions.DigiDoc4JException;
import org.digidoc4j.impl.asic.tsl.TSLCertificateSourceImpl;

/** Validates containers: trust anchors (PEM), in place of Europe's trusted lists, then files. One line for each. */
public class Judge {
    public static void main(String[] arguments) throws IOException, CertificateException {
        TSLCertificateSourceImpl trusted = new TSLCertificateSourceImpl();
        int first = 0;
        for (; arguments[first].endsWith(".pem"); first++) {
            try (InputStream octets = new FileInputStream(arguments[first])) {
                trusted.addTSLCertificate(
                    (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(octets));
            }
        }
        Configuration configuration = Configuration.of(Configuration.Mode.TEST);
        configuration.setTSL(trusted);
        for (int at = first; at < arguments.length; at++) {
            File file = new File(arguments[at]);
            System.out.println(file.getName() + ": " + judged(file, configuration));
        }
        System.exit(0);
    }

    private static String judged(File file, Configuration configuration) {
        try {
            Container container = ContainerOpener.open(file.getPath(), configuration);
            ContainerValidationResult result = container.validate();
            String profiles = container.getSignatures().stream()
                .map(Signature::getProfile).map(String::valueOf).collect(Collectors.joining(","));
            return container.getSignatures().size() + " " + (result.isValid() ? "VALID" : "INVALID") + " "
                + container.getType() + " " + profiles + " [" + texts(result.getErrors()) + texts(result.getContainerErrors())
                + "] [" + texts(result.getWarnings()) + "]";
        } catch (RuntimeException cause) {
            return "0 " + cause;
        }
    }

    private static String texts(List<DigiDoc4JException> failures) {
        return failures.stream().map(DigiDoc4JException::getMessage).collect(Collectors.joining("; "));
    }
}
