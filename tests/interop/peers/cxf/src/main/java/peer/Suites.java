package peer;

import java.util.HashMap;
import java.util.Map;
import org.apache.cxf.Bus;
import org.apache.cxf.ws.security.SecurityConstants;
import org.apache.cxf.ws.security.policy.custom.AlgorithmSuiteLoader;
import org.apache.cxf.ws.security.policy.custom.DefaultAlgorithmSuiteLoader;
import org.apache.wss4j.common.WSS4JConstants;
import org.apache.wss4j.policy.model.AlgorithmSuite;

/** The suites of the Interagency Adapter as CXF's settings for the CustomAlgorithmSuite of the policy. */
final class Suites {
    private Suites() {
    }

    // begin of the recipe
    /** Contextual properties for a client or an endpoint. suite: rsa, p256 or ed25519. */
    static Map<String, Object> settings(String suite) {
        Map<String, Object> settings = new HashMap<>();
        boolean rsa = suite.equals("rsa");
        String prefix = SecurityConstants.CUSTOM_ALG_SUITE_PREFIX;
        settings.put(prefix + "digest.algorithm", WSS4JConstants.SHA256);
        settings.put(prefix + "encryption.algorithm", WSS4JConstants.AES_128_GCM);
        settings.put(prefix + "symmetric.key.encryption.algorithm", WSS4JConstants.KEYWRAP_AES128);
        settings.put(prefix + "asymmetric.key.encryption.algorithm",
            rsa ? WSS4JConstants.KEYTRANSPORT_RSAOAEP_XENC11 : WSS4JConstants.KEYWRAP_AES128);
        settings.put(prefix + "asymmetric.signature", switch (suite) {
            case "rsa" -> WSS4JConstants.RSA_SHA256;
            case "p256" -> WSS4JConstants.ECDSA_SHA256;
            case "ed25519" -> WSS4JConstants.ED25519;
            default -> throw new IllegalArgumentException(suite);
        });
        settings.put(prefix + "minimum.symmetric.key.length", 128);
        settings.put(prefix + "maximum.symmetric.key.length", 128);
        settings.put(prefix + "minimum.asymmetric.key.length", 3072);
        return settings;
    }

    /** What no setting of CXF says: OAEP with SHA-256 instead of SHA-1, for the digest and for the mask. */
    static void useOaepWithSha256(Bus bus) {
        AlgorithmSuiteLoader standard = new DefaultAlgorithmSuiteLoader();
        bus.setExtension((AlgorithmSuiteLoader) (theBus, version, policy) -> {
            AlgorithmSuite suite = standard.getAlgorithmSuite(theBus, version, policy);
            suite.getAlgorithmSuiteType().setEncryptionDigest(WSS4JConstants.SHA256);
            suite.getAlgorithmSuiteType().setMGFAlgo(WSS4JConstants.MGF_SHA256);
            return suite;
        }, AlgorithmSuiteLoader.class);
    }
    // end of the recipe
}
