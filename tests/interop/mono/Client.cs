// A system in .NET that asks its own adapter for a person: WCF with basicHttpBinding, here on Mono.
//
//     mono Client.exe WSDL-ADDRESS PINFL

using System;
using System.Runtime.Serialization;
using System.ServiceModel;
using System.ServiceModel.Channels;
using System.Text;
using System.Xml;
using System.Xml.Serialization;

// begin of the recipe
public static class Namespaces
{
    public const string Register = "urn:example:population-register:1";
    public const string Client = "urn:interagency-adapter:client:1";
    public const string Fault = "urn:interagency-adapter:fault:1";
}

// The contract, as svcutil writes it from the WSDL.
[ServiceContract(Namespace = Namespaces.Register)]
public interface PopulationRegister
{
    [XmlSerializerFormat] // here, not at the interface: Mono heeds it here only
    [OperationContract(Action = Namespaces.Register + "/GetPerson", ReplyAction = "*")]
    [FaultContract(typeof(AdapterFault), Name = "Fault", Namespace = Namespaces.Fault)]
    [return: MessageParameter(Name = "Person")]
    Person GetPerson(string Pinfl);
}

[XmlType(Namespace = Namespaces.Register)]
public class Person
{
    public Name NameCyrillic;
    [XmlElement(DataType = "date")] public DateTime BirthDate;
}

[XmlType(Namespace = Namespaces.Register)]
public class Name
{
    public string Surname;
}

// Who asks, why, on which legal basis, about whom: the header RequestContext.
public class RequestContext : MessageHeader
{
    private readonly string pinfl;

    public RequestContext(string pinfl) { this.pinfl = pinfl; }

    public override string Name { get { return "RequestContext"; } }
    public override string Namespace { get { return Namespaces.Client; } }

    protected override void OnWriteHeaderContents(XmlDictionaryWriter writer, MessageVersion version)
    {
        Write(writer, "Official", null, "inspector-17");
        Write(writer, "Purpose", null, "social-benefit");
        Write(writer, "LegalBasis", "law", "Law No. 395 of 2015, article 12");
        Write(writer, "Subject", "pinfl", pinfl);
    }

    private static void Write(XmlDictionaryWriter writer, string name, string kind, string text)
    {
        writer.WriteStartElement(name, Namespaces.Client);
        if (kind != null) writer.WriteAttributeString("kind", kind);
        writer.WriteString(text);
        writer.WriteEndElement();
    }
}

// Of the adapter's fault, what a program needs.
[DataContract(Name = "Fault", Namespace = Namespaces.Fault)]
public class AdapterFault
{
    [DataMember(Order = 1)] public string Code;
    [DataMember(Order = 2)] public string Retry;
    [DataMember(Order = 3)] public string Incident;
}

public static class Client
{
    public static int Main(string[] arguments)
    {
        Console.OutputEncoding = new UTF8Encoding(false);
        var address = new EndpointAddress(arguments[0].Split('?')[0]);
        var register = new ChannelFactory<PopulationRegister>(new BasicHttpBinding(), address).CreateChannel();
        try
        {
            Person person;
            using (new OperationContextScope((IContextChannel)register))
            {
                OperationContext.Current.OutgoingMessageHeaders.Add(new RequestContext(arguments[1]));
                person = register.GetPerson(arguments[1]);
            }
            Console.WriteLine("surname: " + person.NameCyrillic.Surname);
            Console.WriteLine("born: " + person.BirthDate.ToString("yyyy-MM-dd"));
            return 0;
        }
        catch (FaultException<AdapterFault> fault)
        {
            var told = fault.Detail;
            Console.WriteLine("code: {0}\nretry: {1}\nincident: {2}", told.Code, told.Retry, told.Incident);
            Console.WriteLine("text: " + fault.Message);
            return 1;
        }
    }
}
// end of the recipe
