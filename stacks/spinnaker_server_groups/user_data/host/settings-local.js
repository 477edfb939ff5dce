// Deck runs in the browser, which calls Gate through the port that Session Manager forwards.
window.spinnakerSettings.gateUrl = 'http://localhost:8084/api/v1';
window.spinnakerSettings.authEndpoint = 'http://localhost:8084/api/v1/auth/user';
window.spinnakerSettings.authEnabled = false;
window.spinnakerSettings.feature.fiatEnabled = false;
window.spinnakerSettings.defaultProviders = ['aws'];
window.spinnakerSettings.providers.aws.defaults = { account: '@ACCOUNT_NAME@', region: '@REGION@' };
window.spinnakerSettings.providers.aws.serverGroups = {
  enableLaunchTemplates: true,
  enableIMDSv2: true,
  enableCpuCredits: true,
};
