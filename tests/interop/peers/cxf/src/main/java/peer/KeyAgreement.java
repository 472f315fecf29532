package peer;

import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import javax.xml.namespace.QName;
import jakarta.xml.soap.SOAPException;
import jakarta.xml.soap.SOAPMessage;
import org.apache.cxf.Bus;
import org.apache.cxf.binding.soap.SoapMessage;
import org.apache.cxf.binding.soap.saaj.SAAJOutInterceptor;
import org.apache.cxf.interceptor.Fault;
import org.apache.cxf.interceptor.Interceptor;
import org.apache.cxf.message.Message;
import org.apache.cxf.phase.Phase;
import org.apache.cxf.phase.PhaseInterceptor;
import org.apache.cxf.ws.policy.AssertionInfo;
import org.apache.cxf.ws.policy.AssertionInfoMap;
import org.apache.cxf.ws.policy.PolicyInterceptorProvider;
import org.apache.cxf.ws.policy.PolicyInterceptorProviderRegistry;
import org.apache.cxf.ws.security.SecurityConstants;
import org.apache.cxf.ws.security.policy.PolicyUtils;
import org.apache.cxf.ws.security.policy.custom.DefaultAlgorithmSuiteLoader;
import org.apache.cxf.ws.security.tokenstore.TokenStoreException;
import org.apache.cxf.ws.security.wss4j.PolicyBasedWSS4JInInterceptor;
import org.apache.cxf.ws.security.wss4j.PolicyBasedWSS4JOutInterceptor;
import org.apache.cxf.ws.security.wss4j.policyhandlers.AsymmetricBindingHandler;
import org.apache.cxf.ws.security.wss4j.policyvalidators.AlgorithmSuitePolicyValidator;
import org.apache.cxf.ws.security.wss4j.policyvalidators.PolicyValidatorParameters;
import org.apache.cxf.ws.security.wss4j.policyvalidators.SecurityPolicyValidator;
import org.apache.wss4j.common.WSS4JConstants;
import org.apache.wss4j.common.crypto.Crypto;
import org.apache.wss4j.dom.message.WSSecHeader;
import org.apache.wss4j.common.ext.WSSecurityException;
import org.apache.wss4j.dom.WSConstants;
import org.apache.wss4j.dom.engine.WSSConfig;
import org.apache.wss4j.dom.engine.WSSecurityEngineResult;
import org.apache.wss4j.dom.handler.RequestData;
import org.apache.wss4j.dom.handler.WSHandlerResult;
import org.apache.wss4j.dom.message.WSSecEncryptedKey;
import org.apache.wss4j.policy.SP12Constants;
import org.apache.wss4j.policy.model.AbstractToken;
import org.apache.wss4j.policy.model.AsymmetricBinding;

/**
 * Key agreement for suites p256 and ed25519. WSS4J 4.0 has it; the policy layer of CXF 4.2 does not ask for it when it
 * encrypts, does not let HKDF pass when it decrypts, and measures keys of RSA and DSA only. This class helps with the
 * three; nothing else of CXF is changed.
 */
final class KeyAgreement {
    private KeyAgreement() {
    }

    // begin of the recipe
    /** Replace CXF's two interceptors for policies with an asymmetric binding. Once for each Bus. */
    static void install(Bus bus) {
        PolicyInterceptorProviderRegistry registry = bus.getExtension(PolicyInterceptorProviderRegistry.class);
        for (PolicyInterceptorProvider provider : registry.get(SP12Constants.ASYMMETRIC_BINDING)) {
            replace(provider.getInInterceptors(), PolicyBasedWSS4JInInterceptor.class, new In());
            replace(provider.getInFaultInterceptors(), PolicyBasedWSS4JInInterceptor.class, new In());
            replace(provider.getOutInterceptors(), PolicyBasedWSS4JOutInterceptor.class, new Out());
            replace(provider.getOutFaultInterceptors(), PolicyBasedWSS4JOutInterceptor.class, new Out());
        }
    }

    private static void replace(List<Interceptor<? extends Message>> chain, Class<?> theirs,
                                Interceptor<? extends Message> ours) {
        if (chain.removeIf(one -> one.getClass() == theirs)) {
            chain.add(ours);
        }
    }

    /** The agreement of the suite that the settings name; null for rsa, which transports its key. */
    private static String method(SoapMessage message) {
        Object signature = message.getContextualProperty(SecurityConstants.CUSTOM_ALG_SUITE_ASYMMETRIC_SIGNATURE);
        if (WSS4JConstants.ED25519.equals(signature)) {
            return WSS4JConstants.AGREEMENT_METHOD_X25519;
        }
        return WSS4JConstants.ECDSA_SHA256.equals(signature) ? WSS4JConstants.AGREEMENT_METHOD_ECDH_ES : null;
    }

    private static final class In extends PolicyBasedWSS4JInInterceptor {
        @Override
        protected void setAlgorithmSuites(SoapMessage message, RequestData data) throws WSSecurityException {
            super.setAlgorithmSuites(message, data);
            if (data.getAlgorithmSuite() != null && method(message) != null) {
                data.getAlgorithmSuite().addDerivedKeyAlgorithm(WSS4JConstants.KEYDERIVATION_HKDF);
                data.getAlgorithmSuite().addKeyAgreementMethodAlgorithm(method(message));
            }
        }
    }

    /** For the property {@link SecurityConstants#POLICY_VALIDATOR_MAP}. */
    static Map<QName, SecurityPolicyValidator> validators() {
        return Map.of(SP12Constants.ALGORITHM_SUITE, new AlgorithmsOnly());
    }

    /** CXF's check of the algorithms, without its check of key lengths: WSS4J has made that one, for all keys. */
    private static final class AlgorithmsOnly extends AlgorithmSuitePolicyValidator {
        @Override
        public void validatePolicies(PolicyValidatorParameters parameters, Collection<AssertionInfo> assertions) {
            WSHandlerResult all = parameters.getResults();
            List<WSSecurityEngineResult> withoutKeys = all.getResults().stream().map(result -> {
                WSSecurityEngineResult copy = new WSSecurityEngineResult(WSConstants.NO_SECURITY);
                copy.putAll(result);
                copy.remove(WSSecurityEngineResult.TAG_PUBLIC_KEY);
                copy.remove(WSSecurityEngineResult.TAG_X509_CERTIFICATE);
                return copy;
            }).toList();
            parameters.setResults(new WSHandlerResult(all.getActor(), withoutKeys, Map.of()));
            super.validatePolicies(parameters, assertions);
            parameters.setResults(all);
        }
    }

    private static final class Out extends PolicyBasedWSS4JOutInterceptor {
        @Override
        public void handleMessage(SoapMessage message) {
            if (message.getContent(SOAPMessage.class) == null) {
                new SAAJOutInterceptor().handleMessage(message);
            }
            message.put(SECURITY_PROCESSED, Boolean.TRUE);
            message.getInterceptorChain().add(new Protect());
        }
    }

    private static final class Protect implements PhaseInterceptor<SoapMessage> {
        @Override
        public void handleMessage(SoapMessage message) {
            AssertionInfoMap assertions = message.get(AssertionInfoMap.class);
            AsymmetricBinding binding = (AsymmetricBinding) PolicyUtils.getSecurityBinding(assertions);
            DefaultAlgorithmSuiteLoader.customize(binding.getAlgorithmSuite().getAlgorithmSuiteType(), message);
            SOAPMessage saaj = message.getContent(SOAPMessage.class);
            WSSecHeader security = new WSSecHeader(null, true, saaj.getSOAPPart());
            try {
                security.insertSecurityHeader();
                new Handler(binding, saaj, security, assertions, message).handleBinding();
            } catch (WSSecurityException | SOAPException | TokenStoreException cause) {
                throw new Fault(cause);
            }
        }

        @Override
        public void handleFault(SoapMessage message) {
        }

        @Override
        public Set<String> getAfter() {
            return Collections.emptySet();
        }

        @Override
        public Set<String> getBefore() {
            return Collections.emptySet();
        }

        @Override
        public String getId() {
            return Protect.class.getName();
        }

        @Override
        public String getPhase() {
            return Phase.POST_PROTOCOL;
        }

        @Override
        public Collection<PhaseInterceptor<? extends Message>> getAdditionalInterceptors() {
            return null;
        }
    }

    private static final class Handler extends AsymmetricBindingHandler {
        private final String method;

        Handler(AsymmetricBinding binding, SOAPMessage saaj, WSSecHeader security, AssertionInfoMap assertions,
                SoapMessage message) throws SOAPException, TokenStoreException {
            super(WSSConfig.getNewInstance(), binding, saaj, security, assertions, message);
            method = method(message);
        }

        /** Called for each EncryptedKey before it is made. */
        @Override
        public String setEncryptionUser(WSSecEncryptedKey key, AbstractToken token, boolean sign, Crypto crypto) {
            if (method != null) {
                key.setKeyAgreementMethod(method);
                key.setKeyDerivationMethod(WSS4JConstants.KEYDERIVATION_HKDF);
            }
            return super.setEncryptionUser(key, token, sign, crypto);
        }
    }
    // end of the recipe
}
