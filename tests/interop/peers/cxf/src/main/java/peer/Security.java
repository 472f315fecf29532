package peer;

import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.TrustManagerFactory;
import javax.security.auth.callback.Callback;
import javax.security.auth.callback.CallbackHandler;
import org.apache.cxf.configuration.jsse.TLSParameterBase;
import org.apache.wss4j.common.crypto.Crypto;
import org.apache.wss4j.common.crypto.CryptoFactory;
import org.apache.wss4j.common.ext.WSPasswordCallback;

/**
 * Keys: {@code keystore} has our keys {@code signing} and {@code agreement}, the recipient's agreement certificate as
 * {@code recipient}, and the CAs of the directory; {@code tls.keystore} has our TLS key and the CA of the others'.
 */
final class Security {
    private Security() {
    }

    static Map<String, Object> settings(Peer.Settings settings) throws Exception {
        // begin of the recipe
        Properties merlin = new Properties();
        merlin.setProperty("org.apache.wss4j.crypto.provider", "org.apache.wss4j.common.crypto.Merlin");
        merlin.setProperty("org.apache.wss4j.crypto.merlin.keystore.type", "pkcs12");
        merlin.setProperty("org.apache.wss4j.crypto.merlin.keystore.file", settings.get("keystore"));
        merlin.setProperty("org.apache.wss4j.crypto.merlin.keystore.password", settings.get("password"));
        Crypto crypto = CryptoFactory.getInstance(merlin);
        Map<String, Object> found = new HashMap<>(Suites.settings(settings.get("suite")));
        found.put("security.signature.crypto", crypto);
        found.put("security.encryption.crypto", crypto);
        found.put("security.signature.username", "signing");
        found.put("security.encryption.username", "recipient");
        found.put("security.callback-handler", password(settings.get("password")));
        found.put("ws-security.is-bsp-compliant", "true"); // as it is anyway: no rule of the Basic Security Profile is off
        // Of a part only the content is encrypted (SwA Profile 1.1, Attachment-Content-Only), not its MIME headers.
        found.put("ws-security.swa.encryption.attachment.transform.content", "true");
        if (!settings.get("suite").equals("rsa")) {
            found.put("ws-security.policy.validator.map", KeyAgreement.validators());
        }
        // end of the recipe
        found.putAll(settings.properties());
        return found;
    }

    private static CallbackHandler password(String password) {
        return callbacks -> {
            for (Callback callback : callbacks) {
                if (callback instanceof WSPasswordCallback wanted) {
                    wanted.setPassword(password);
                }
            }
        };
    }

    /** TLS 1.3 with our certificate. */
    static void useTls(TLSParameterBase tls, Peer.Settings settings) throws Exception {
        char[] password = settings.get("password").toCharArray();
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (InputStream file = Files.newInputStream(Path.of(settings.get("tls.keystore")))) {
            store.load(file, password);
        }
        KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keys.init(store, password);
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(store);
        tls.setKeyManagers(keys.getKeyManagers());
        tls.setTrustManagers(trust.getTrustManagers());
        tls.setSecureSocketProtocol("TLSv1.3");
    }
}
