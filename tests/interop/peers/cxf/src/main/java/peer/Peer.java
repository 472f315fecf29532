package peer;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.Reader;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import javax.xml.transform.Source;
import javax.xml.transform.stream.StreamSource;
import org.apache.cxf.Bus;
import org.apache.cxf.BusFactory;

/**
 * A member of the federation without an adapter: CXF and WSS4J by the policy of a WSDL, and two key stores.
 *
 * <p>It reads commands, one a line: {@code store FILE}, {@code call FILE}, {@code serve FILE}, {@code stop FILE}; FILE has the
 * settings. Each
 * command is answered with one line: {@code ok} or {@code failed} and why.
 */
public final class Peer {
    private static final Map<String, Served> SERVED = new HashMap<>();

    private Peer() {
    }

    public static void main(String[] arguments) throws Exception {
        Bus bus = BusFactory.getDefaultBus();
        Suites.useOaepWithSha256(bus);
        KeyAgreement.install(bus);
        System.out.println("ready CXF " + org.apache.cxf.version.Version.getCurrentVersion()
            + " WSS4J " + org.apache.wss4j.dom.engine.WSSConfig.class.getPackage().getImplementationVersion());
        BufferedReader commands = new BufferedReader(new InputStreamReader(System.in));
        for (String line = commands.readLine(); line != null; line = commands.readLine()) {
            String[] words = line.split(" ", 2);
            System.out.println(outcome(words[0], words[1]));
        }
        System.exit(0);
    }

    private static String outcome(String command, String file) {
        try {
            Settings settings = Settings.read(Path.of(file));
            switch (command) {
                case "call" -> Caller.call(settings);
                case "serve" -> {
                    stop(file); // the same address cannot be served twice
                    SERVED.put(file, new Served(settings));
                }
                case "store" -> Stores.make(settings);
                case "stop" -> stop(file);
                default -> throw new IllegalArgumentException(command);
            }
            return "ok";
        } catch (Exception failure) {
            StringBuilder words = new StringBuilder("failed");
            for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
                words.append(" | ").append(cause.getClass().getSimpleName()).append(": ").append(cause.getMessage());
            }
            return words.toString().replaceAll("\\s+", " ");
        }
    }

    private static void stop(String file) {
        Served served = SERVED.remove(file);
        if (served != null) {
            served.stop();
        }
    }

    /** One file of settings: java.util.Properties in UTF-8. */
    record Settings(Properties values) {
        static Settings read(Path file) throws Exception {
            Properties values = new Properties();
            try (Reader reader = Files.newBufferedReader(file)) {
                values.load(reader);
            }
            return new Settings(values);
        }

        String get(String key) {
            String value = values.getProperty(key);
            if (value == null) {
                throw new IllegalArgumentException("the settings lack " + key);
            }
            return value;
        }

        /** A file that need not be named. */
        Optional<Path> file(String key) {
            return Optional.ofNullable(values.getProperty(key)).map(Path::of);
        }

        /** Contextual properties that the settings give in the form {@code property.NAME = VALUE}. */
        Map<String, Object> properties() {
            Map<String, Object> found = new HashMap<>();
            for (String key : values.stringPropertyNames()) {
                if (key.startsWith("property.")) {
                    found.put(key.substring("property.".length()), values.getProperty(key));
                }
            }
            return found;
        }

        Source payload() throws Exception {
            return new StreamSource(new StringReader(Files.readString(Path.of(get("payload")))));
        }
    }
}
