// A system in Java that asks its own adapter for a person, with JAX-WS and Apache CXF. The classes of the packages
// register and adapter are generated from the WSDL: see client.sh.
//
//     java Client WSDL-ADDRESS PINFL

import adapter.RequestContext;
import adapter.fault.Fault;
import adapter.id.Subject;
import adapter.law.LegalBasis;
import java.io.PrintStream;
import java.net.URI;
import register.InteragencyFault;
import register.Person;
import register.PopulationRegister;
import register.PopulationRegister_Service;

public final class Client {
    public static void main(String[] arguments) throws Exception {
        String wsdl = arguments[0];
        String pinfl = arguments[1];
        PrintStream out = new PrintStream(System.out, true, "UTF-8");

        // begin of the recipe
        PopulationRegister register =
            new PopulationRegister_Service(URI.create(wsdl).toURL()).getPopulationRegisterPort();

        // Who asks, why, on which legal basis, about whom: the header RequestContext.
        LegalBasis basis = new LegalBasis();
        basis.setKind("law");
        basis.setValue("Law No. 395 of 2015, article 12");
        Subject subject = new Subject();
        subject.setKind("pinfl");
        subject.setValue(pinfl);
        RequestContext context = new RequestContext();
        context.setOfficial("inspector-17");
        context.setPurpose("social-benefit");
        context.setLegalBasis(basis);
        context.getSubject().add(subject);

        try {
            Person person = register.getPerson(pinfl, context);
            out.println("surname: " + person.getNameCyrillic().getSurname());
            out.println("born: " + person.getBirthDate().toGregorianCalendar().toZonedDateTime().toLocalDate());
        } catch (InteragencyFault fault) {
            Fault told = fault.getFaultInfo();
            out.println("code: " + told.getCode());
            out.println("retry: " + told.getRetry().value());
            out.println("incident: " + told.getIncident());
            out.println("text: " + fault.getMessage());
            System.exit(1);
        }
        // end of the recipe
    }
}
