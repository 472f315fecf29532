// A system in .NET that sends a file and gets one back, as base64 in the XML: WCF with basicHttpBinding, here on Mono.
//
//     mono Documents.exe WSDL-ADDRESS FILE

using System;
using System.IO;
using System.Security.Cryptography;
using System.ServiceModel;

// begin of the recipe
[ServiceContract(Namespace = "urn:example:documents:1")]
public interface Documents
{
    [XmlSerializerFormat]
    [OperationContract(Action = "urn:Put", ReplyAction = "*")]
    [return: MessageParameter(Name = "Size")]
    long Put(string Title, ref byte[] Content, out string Sha256);
}
// end of the recipe

public static class Program
{
    public static void Main(string[] arguments)
    {
        // begin of the recipe
        var binding = new BasicHttpBinding { MaxReceivedMessageSize = 64 << 20 };
        binding.ReaderQuotas.MaxArrayLength = 64 << 20;
        binding.ReaderQuotas.MaxStringContentLength = 64 << 20;
        var address = new EndpointAddress(arguments[0].Split('?')[0]);
        var documents = new ChannelFactory<Documents>(binding, address).CreateChannel();
        var content = File.ReadAllBytes(arguments[1]);
        string digest;
        documents.Put("Справка", ref content, out digest);
        // end of the recipe
        var received = SHA256.Create().ComputeHash(content);
        Console.WriteLine("received: " + BitConverter.ToString(received).Replace("-", "").ToLowerInvariant());
    }
}
