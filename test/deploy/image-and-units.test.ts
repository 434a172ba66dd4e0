import { describe, expect, it } from 'vitest';
import { document, type Loose, text } from './support/tree.ts';

const dockerfile = text('Dockerfile');

describe('Dockerfile', () => {
  const finalStage = dockerfile.slice(dockerfile.lastIndexOf('\nFROM'));

  it('builds in one stage and ships another, without compiler, npm or secrets', () => {
    expect(dockerfile.match(/^FROM /gm)?.length).toBeGreaterThanOrEqual(3);
    expect(finalStage).not.toMatch(/npm |build-essential|gcc|python|--mount=type=secret|TOKEN/);
  });

  it('takes the platform that is asked for: a default in a stage would win over it', () => {
    expect(dockerfile).toMatch(/^ARG TARGETARCH$/m);
    expect(dockerfile).not.toMatch(/ARG (TARGET|BUILD)\w+=/);
  });

  it('runs as uid 1000, by number, under an init, with a health check', () => {
    expect(finalStage).toMatch(/^USER 1000:1000$/m);
    expect(finalStage).toMatch(/^ENTRYPOINT \["\/usr\/bin\/tini", "--", "mmrelay"\]$/m);
    expect(finalStage).toMatch(/^HEALTHCHECK .* CMD \["mmrelay", "doctor", "--liveness"\]$/m);
    expect(finalStage).toMatch(/^VOLUME \/data$/m);
  });

  it('carries the environment that the manifests repeat', () => {
    expect(finalStage).toMatch(/MMRELAY_HOME=\/data/);
    expect(finalStage).toMatch(/MMRELAY_READY_FILE=\/run\/mmrelay\/ready/);
  });

  it('has the OCI labels', () => {
    for (const label of ['title', 'description', 'source', 'licenses', 'version', 'revision', 'created']) {
      expect(finalStage).toContain(`org.opencontainers.image.${label}=`);
    }
  });

  it('lets only named files into the build', () => {
    const rules = text('.dockerignore')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'));
    expect(rules[0]).toBe('*');
    expect(rules.join('\n')).not.toMatch(/^!\.git|^!node_modules|^!\.env/m);
  });
});

describe('Compose', () => {
  const service = document('deploy/compose/compose.yaml').services.mmrelay;

  it('is hardened', () => {
    expect(service).toMatchObject({ read_only: true, cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] });
    expect(service.privileged).toBeUndefined();
    expect(service.volumes.join()).not.toContain('docker.sock');
    expect(service.user).toContain('1000');
  });

  it('gives the relay its home, its ready file and its time to stop', () => {
    expect(service.volumes[0]).toMatch(/\.mmrelay:\/data$/);
    expect(service.environment).toMatchObject({ MMRELAY_HOME: '/data', MMRELAY_READY_FILE: '/run/mmrelay/ready' });
    expect(service.stop_grace_period).toBe('30s');
    expect(service.healthcheck.test).toEqual(['CMD', 'mmrelay', 'doctor', '--liveness']);
  });

  it('passes no empty login: an unset variable stays unset', () => {
    for (const key of ['HOMESERVER', 'BOT_USER_ID', 'PASSWORD']) {
      expect(service.environment[`MMRELAY_MATRIX_${key}`]).toBeNull();
    }
  });

  it.each(['serial', 'ble'])('%s.yaml adds to that very service, without privilege', (name) => {
    const { services }: Loose = document(`deploy/compose/${name}.yaml`);
    expect(Object.keys(services)).toEqual(['mmrelay']);
    expect(services.mmrelay.privileged).toBeUndefined();
    expect(services.mmrelay.network_mode).toBeUndefined();
  });

  it('explains every variable it reads', () => {
    const sample = text('deploy/compose/sample.env');
    for (const name of ['compose', 'serial', 'ble']) {
      for (const [, variable] of text(`deploy/compose/${name}.yaml`).matchAll(/\$\{([A-Z_]+)/g)) {
        if (variable !== 'HOME') expect(sample, variable).toMatch(new RegExp(`^#?${variable}=`, 'm'));
      }
    }
  });
});

describe('systemd unit', () => {
  const unit = text('deploy/systemd/mmrelay.service');
  const value = (key: string): string | undefined => new RegExp(`^${key}=(.*)$`, 'm').exec(unit)?.[1];

  it('is told when mmrelay is ready, and watches it', () => {
    expect(value('Type')).toBe('notify');
    expect(value('WatchdogSec')).toBe('120');
    expect(value('ExecStart')).toMatch(/ --home \/var\/lib\/mmrelay$/);
  });

  it('comes along in the package, where INSTALL.md takes it from', () => {
    expect(JSON.parse(text('package.json')).files).toContain('deploy/systemd');
    expect(text('docs/INSTALL.md')).toContain('/node_modules/mmrelay/deploy/systemd/mmrelay.service');
  });

  it('restarts what a restart can cure, and nothing else', () => {
    expect(value('Restart')).toBe('on-failure');
    expect(value('RestartPreventExitStatus')).toBe('2 3 4');
  });

  it('is hardened, and leaves V8 its compiler', () => {
    for (const key of ['NoNewPrivileges', 'ProtectHome', 'PrivateTmp', 'RestrictSUIDSGID', 'LockPersonality']) {
      expect(value(key), key).toBe('yes');
    }
    expect(value('ProtectSystem')).toBe('strict');
    expect(value('CapabilityBoundingSet')).toBe('');
    expect(value('MemoryDenyWriteExecute')).toBeUndefined();
    expect(unit).toMatch(/^DeviceAllow=char-ttyUSB rw$/m);
  });
});
