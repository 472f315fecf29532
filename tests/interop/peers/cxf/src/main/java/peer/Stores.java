package peer;

import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;

/** Makes a PKCS #12 key store of PEM files, as keytool and openssl would; X25519 keys too, which keytool cannot take. */
final class Stores {
    private static final String[] ALGORITHMS = {"RSA", "EC", "Ed25519", "X25519"};

    private Stores() {
    }

    /** Settings {@code key.ALIAS} and {@code certificate.ALIAS} name files; a certificate without a key is trusted. */
    static void make(Peer.Settings settings) throws Exception {
        char[] password = settings.get("password").toCharArray();
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, password);
        for (String name : settings.values().stringPropertyNames()) {
            if (name.startsWith("certificate.")) {
                String alias = name.substring("certificate.".length());
                Certificate certificate = certificate(Path.of(settings.get(name)));
                String key = settings.values().getProperty("key." + alias);
                if (key == null) {
                    store.setCertificateEntry(alias, certificate);
                } else {
                    store.setKeyEntry(alias, key(Path.of(key)), password, new Certificate[] {certificate});
                }
            }
        }
        try (OutputStream file = Files.newOutputStream(Path.of(settings.get("store")))) {
            store.store(file, password);
        }
    }

    private static Certificate certificate(Path file) throws Exception {
        try (InputStream pem = Files.newInputStream(file)) {
            return CertificateFactory.getInstance("X.509").generateCertificate(pem);
        }
    }

    private static PrivateKey key(Path file) throws Exception {
        String base64 = Files.readString(file).replaceAll("(?s)^.*?-----BEGIN [A-Z ]+-----|-----END.*|\\s", "");
        PKCS8EncodedKeySpec key = new PKCS8EncodedKeySpec(Base64.getDecoder().decode(base64));
        for (String algorithm : ALGORITHMS) {
            try {
                return KeyFactory.getInstance(algorithm).generatePrivate(key);
            } catch (InvalidKeySpecException anotherKind) {
                continue;
            }
        }
        throw new GeneralSecurityException("no key of a suite in " + file.getFileName());
    }
}
