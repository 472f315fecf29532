import java.io.File;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.apache.cxf.tools.common.ToolContext;
import org.apache.cxf.tools.wsdlto.WSDLToJava;

/** wsdl2java for many descriptions in one process: FOLDER name=address ...; prints `name: methods` or `name: what it said`. */
public class ReadAll {
    public static void main(String[] arguments) throws Exception {
        PrintStream answers = System.out;
        System.setOut(System.err);
        for (int at = 1; at < arguments.length; at++) {
            String[] service = arguments[at].split("=", 2);
            File folder = new File(arguments[0], service[0]);
            String said;
            try {
                String[] options = {"-d", folder.getPath(), "-exsh", "true", "-autoNameResolution", service[1]};
                new WSDLToJava(options).run(new ToolContext(), System.err);
                said = Long.toString(methods(folder.toPath()));
            } catch (Throwable failure) {
                said = String.valueOf(failure.getMessage()).replaceAll("\\s+", " ");
            }
            answers.println(service[0] + ": " + said);
        }
    }

    private static long methods(Path folder) throws Exception {
        try (Stream<Path> files = Files.walk(folder)) {
            return files.filter(file -> file.toString().endsWith(".java")).mapToLong(ReadAll::methodsIn).sum();
        }
    }

    private static long methodsIn(Path file) {
        try {
            return Files.readAllLines(file).stream().filter(line -> line.strip().startsWith("@WebMethod")).count();
        } catch (java.io.IOException failure) {
            throw new java.io.UncheckedIOException(failure);
        }
    }
}
