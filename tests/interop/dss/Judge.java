import eu.europa.esig.dss.jaxb.object.Message;
import eu.europa.esig.dss.model.FileDocument;
import eu.europa.esig.dss.simplereport.SimpleReport;
import eu.europa.esig.dss.spi.DSSUtils;
import eu.europa.esig.dss.spi.validation.CommonCertificateVerifier;
import eu.europa.esig.dss.spi.x509.CommonTrustedCertificateSource;
import eu.europa.esig.dss.validation.SignedDocumentValidator;
import java.io.File;
import java.util.List;
import java.util.stream.Collectors;

/** Validates containers offline, by the policy that DSS has: trust anchors (PEM), then files. One line for each. */
public class Judge {
    public static void main(String[] arguments) {
        CommonTrustedCertificateSource trusted = new CommonTrustedCertificateSource();
        int first = 0;
        for (; arguments[first].endsWith(".pem"); first++) {
            trusted.addCertificate(DSSUtils.loadCertificate(new File(arguments[first])));
        }
        for (int at = first; at < arguments.length; at++) {
            File file = new File(arguments[at]);
            System.out.println(file.getName() + ": " + judged(file, trusted));
        }
    }

    private static String judged(File file, CommonTrustedCertificateSource trusted) {
        CommonCertificateVerifier verifier = new CommonCertificateVerifier();
        verifier.setAIASource(null);
        verifier.setTrustedCertSources(trusted);
        try {
            SignedDocumentValidator validator = SignedDocumentValidator.fromDocument(new FileDocument(file));
            validator.setCertificateVerifier(verifier);
            SimpleReport report = validator.validateDocument().getSimpleReport();
            String id = report.getFirstSignatureId();
            return report.getSignaturesCount() + " " + report.getIndication(id) + " " + report.getSubIndication(id)
                + " " + report.getSignatureFormat(id) + " [" + texts(report.getAdESValidationErrors(id)) + "] ["
                + texts(report.getAdESValidationWarnings(id)) + "]";
        } catch (RuntimeException cause) {
            return "0 " + cause;
        }
    }

    private static String texts(List<Message> messages) {
        return messages.stream().map(Message::getValue).collect(Collectors.joining("; "));
    }
}
